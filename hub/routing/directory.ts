import type { Channel, ChannelRules } from "../bus/channel.ts";
import type { Channels } from "../bus/channels.ts";
import type { Recipient } from "../bus/recipient.ts";
import { SmallSet } from "../bus/small_set.ts";

/** The connections of this node, and the channels that each is in. */
export class Directory {
  readonly #channels: Channels;
  readonly #connections = new Map<string, Recipient>();
  readonly #memberships = new Map<Recipient, SmallSet<Channel>>();

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /** The connection of that id, if it is on this node. */
  get(connectionId: string): Recipient | undefined {
    return this.#connections.get(connectionId);
  }

  /** Makes a connection known. */
  add(recipient: Recipient): void {
    this.#connections.set(recipient.id, recipient);
    this.#memberships.set(recipient, new SmallSet());
  }

  /** Whether that very connection is known. */
  has(recipient: Recipient): boolean {
    return this.#connections.get(recipient.id) === recipient;
  }

  /** Forgets a connection, which leaves every channel at once. */
  delete(recipient: Recipient): void {
    for (const channel of this.#memberships.get(recipient) ?? []) {
      this.#channels.leave(channel, recipient);
    }
    this.#memberships.delete(recipient);
    this.#connections.delete(recipient.id);
  }

  /**
   * Makes a connection a member of a channel. Messages of this node reach it at once. Returns nothing if
   * the bus has confirmed the channel, else a promise that resolves when it has.
   *
   * @throws {BackplaneError} (rejects) if the bus refuses the channel or has not confirmed it in time;
   * the connection is a member then only if the channel is permanent.
   */
  join(recipient: Recipient, name: string, rules: ChannelRules): Promise<void> | undefined {
    const channel = this.#channels.join(name, recipient, rules);
    this.#memberships.get(recipient)?.add(channel);
    const { joining } = channel;
    if (joining === undefined || rules.permanent) return joining;
    return joining.catch((error) => {
      this.#leave(recipient, channel);
      throw error;
    });
  }

  /** Takes a connection out of a channel at once; without effect if it is not a member. */
  leave(recipient: Recipient, name: string): void {
    const channel = this.#channels.get(name);
    if (channel !== undefined) this.#leave(recipient, channel);
  }

  /** Takes a connection out of every channel but the permanent ones at once. */
  leaveGroups(recipient: Recipient): void {
    for (const channel of this.#memberships.get(recipient) ?? []) {
      if (!channel.rules.permanent) this.#leave(recipient, channel);
    }
  }

  #leave(recipient: Recipient, channel: Channel): void {
    this.#memberships.get(recipient)?.delete(channel);
    this.#channels.leave(channel, recipient);
  }
}
