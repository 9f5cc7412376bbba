import type { HubChannels } from "../bus/channel_names.ts";
import type { Interest } from "../bus/channel.ts";
import { Members } from "./named_sets.ts";
import type { Recipient } from "./recipient.ts";

/**
 * Which connections of this node are in which groups.
 *
 * - **Join** registers at once, so local delivery starts; it resolves when messages published from
 *   then on, on any node, arrive.
 * - **Leave** takes effect at once.
 * - A subscription that fails removes everyone who waited for it.
 */
export class Groups {
  readonly #channels: HubChannels;
  readonly #interest: Interest;
  readonly #deliver: (group: string, payload: Uint8Array) => void;
  readonly #members = new Members();
  readonly #joined = new Map<Recipient, Set<string>>();

  constructor(
    channels: HubChannels,
    interest: Interest,
    deliver: (group: string, payload: Uint8Array) => void,
  ) {
    this.#channels = channels;
    this.#interest = interest;
    this.#deliver = deliver;
  }

  /** The members of a group that are here. */
  of(group: string): ReadonlySet<Recipient> {
    return this.#members.of(group);
  }

  /** Adds a connection of this node; returns nothing when nobody has to wait for the bus. */
  join(recipient: Recipient, group: string): Promise<void> | undefined {
    this.#members.add(group, recipient);
    let joined = this.#joined.get(recipient);
    if (joined === undefined) this.#joined.set(recipient, joined = new Set());
    joined.add(group);
    return this.#interest.acquire(this.#channels.group(group), {
      deliver: (payload) => this.#deliver(group, payload),
      failed: () => this.#expel(group),
    });
  }

  /** Removes a connection; without effect if it is no member. */
  leave(recipient: Recipient, group: string): void {
    const joined = this.#joined.get(recipient);
    if (joined === undefined || !joined.delete(group)) return;
    if (joined.size === 0) this.#joined.delete(recipient);
    if (this.#members.remove(group, recipient)) {
      this.#interest.release(this.#channels.group(group));
    }
  }

  /** Removes a connection from every group. */
  leaveAll(recipient: Recipient): void {
    for (const group of [...this.#joined.get(recipient) ?? []]) this.leave(recipient, group);
  }

  #expel(group: string): void {
    for (const recipient of [...this.of(group)]) this.leave(recipient, group);
  }
}
