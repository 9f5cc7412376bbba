import type { Channel, ChannelRules } from "../bus/channel.ts";
import type { Channels } from "../bus/channels.ts";
import type { Recipient } from "../bus/recipient.ts";
import { SmallSet } from "../bus/small_set.ts";
import { visitAll, type VisitContext } from "../scheduling/visits.ts";

/** The channels of a connection and of its user stay wanted while the connection is there. */
export const PERMANENT: ChannelRules = { permanent: true };

/** The connections of this node, and the channels that each is in. */
export class Directory implements Iterable<Recipient> {
  readonly #channels: Channels;
  readonly #context: VisitContext;
  readonly #connections = new Map<string, Recipient>();
  /**
   * Without the channel of the connection itself: most connections are in no other. The channel of the
   * user comes first.
   */
  readonly #memberships = new Map<Recipient, SmallSet<Channel>>();
  readonly #ownName: (connectionId: string) => string;

  /** `ownName` gives the channel of a connection itself. */
  constructor(
    channels: Channels,
    context: VisitContext,
    ownName: (connectionId: string) => string,
  ) {
    this.#channels = channels;
    this.#context = context;
    this.#ownName = ownName;
  }

  /** The connection of that id, if it is on this node. */
  get(connectionId: string): Recipient | undefined {
    return this.#connections.get(connectionId);
  }

  [Symbol.iterator](): Iterator<Recipient> {
    return this.#connections.values();
  }

  /** Makes a connection known, and a member of its own channel; returns as {@link join}. */
  add(recipient: Recipient): Promise<void> | undefined {
    this.#connections.set(recipient.id, recipient);
    return this.#channels.join(this.#ownName(recipient.id), recipient, PERMANENT).joining;
  }

  /** Whether that very connection is known. */
  has(recipient: Recipient): boolean {
    return this.#connections.get(recipient.id) === recipient;
  }

  /** All channels of a connection: its own, its user's, those of its groups. */
  *channels(recipient: Recipient): Generator<Channel, void> {
    const own = this.#channels.get(this.#ownName(recipient.id));
    if (own !== undefined) yield own;
    yield* this.#memberships.get(recipient) ?? [];
  }

  /** How many groups a connection is in. */
  groups(recipient: Recipient): number {
    const channels = this.#memberships.get(recipient);
    if (channels === undefined) return 0;
    const [first] = channels;
    return first?.rules.permanent ? channels.size - 1 : channels.size;
  }

  /** Whether a connection is a member of a channel. */
  isMember(recipient: Recipient, name: string): boolean {
    return this.#channels.get(name)?.audience.has(recipient) ?? false;
  }

  /**
   * Forgets a closed connection, which leaves its channels in bounded turns. The connection may still be
   * counted as a member until then, and nothing is sent to it.
   */
  delete(recipient: Recipient): void {
    this.leave(recipient, this.#ownName(recipient.id));
    this.#connections.delete(recipient.id);
    const channels = this.#memberships.get(recipient);
    if (channels === undefined) return;
    this.#memberships.delete(recipient);
    visitAll(this.#context, channels, (channel) => this.#channels.leave(channel, recipient));
  }

  /**
   * Makes a connection a member of a channel. Messages of this node reach it at once. Returns nothing if
   * nobody waits for the bus to confirm the channel any more, else a promise that resolves when it has.
   *
   * @throws {BackplaneError} (rejects) if the bus refuses the channel or has not confirmed it in time;
   * the connection is a member then only if the channel is permanent.
   */
  join(recipient: Recipient, name: string, rules: ChannelRules): Promise<void> | undefined {
    const channel = this.#channels.join(name, recipient, rules);
    let memberships = this.#memberships.get(recipient);
    if (memberships === undefined) this.#memberships.set(recipient, memberships = new SmallSet());
    memberships.add(channel);
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

  /** Takes a closed connection out of every channel but the permanent ones, as {@link delete}. */
  leaveGroups(recipient: Recipient): void {
    visitAll(this.#context, this.#memberships.get(recipient) ?? [], (channel) => {
      if (!channel.rules.permanent) this.#leave(recipient, channel);
    });
  }

  #leave(recipient: Recipient, channel: Channel): void {
    const memberships = this.#memberships.get(recipient);
    if (memberships?.delete(channel) && memberships.size === 0) this.#memberships.delete(recipient);
    this.#channels.leave(channel, recipient);
  }
}
