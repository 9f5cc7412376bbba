import type { SentChannel } from "./ring.ts";

/** How many channels are looked at for a sign. */
const MAXIMUM_LOOKED_AT = 2000;
/** How many channels may wait for a sign; beyond this number others have to ask. */
const MAXIMUM_UNTOLD = 50_000;

/** A channel that this node has published on. */
export interface Sent extends SentChannel {
  /** The first number on it that no sign has listed; 0 if there is none. */
  untold: number;
  /** Since when it has that number, and when the last message was handed over. */
  since: number;
  at: number;
  /** Whether the bus has not answered a message of it, so that it is listed soon. */
  urgent: boolean;
}

/** A channel that waits again, with its first number that no sign has listed. */
export interface Listed {
  readonly channel: Sent;
  readonly untold: number;
}

/** The channels with something that no sign has listed; the longest untold comes first, but for some. */
export class Untold {
  #channels = new Set<Sent>();
  /** The lowest untold number of a channel that comes behind one with a higher number. */
  #late = Infinity;

  /** The channel that has waited for longest, if there are more than 50,000. */
  get surplus(): Sent | undefined {
    if (this.#channels.size <= MAXIMUM_UNTOLD) return undefined;
    const [oldest] = this.#channels;
    return oldest;
  }

  /** A channel has an untold number, which is the last of all or an earlier one. */
  add(channel: Sent, isLast: boolean): void {
    if (!isLast) this.#late = Math.min(this.#late, channel.untold);
    this.#channels.add(channel);
  }

  /** A sign has listed a channel. */
  delete(channel: Sent): void {
    this.#channels.delete(channel);
  }

  /** Nothing is untold. */
  clear(): void {
    this.#channels.clear();
    this.#late = Infinity;
  }

  /** Channels wait again that a sign had listed which nobody has: they come first. */
  restore(channels: readonly Sent[]): void {
    const later = this.#channels;
    const highest = channels.reduce((most, { untold }) => Math.max(most, untold), 0);
    this.#channels = new Set(channels);
    for (const channel of later) this.add(channel, channel.untold >= highest);
  }

  /**
   * Calls `take` with one channel after the other, at most 2,000; it returns whether a sign lists the
   * channel. Returns a number up to which all is listed then, `undefined` if there is nothing else; and
   * whether it has looked at all channels.
   */
  look(take: (channel: Sent) => boolean): { told: number | undefined; atAll: boolean } {
    let lowest = Infinity;
    let left = MAXIMUM_LOOKED_AT;
    let hasLate = false;
    for (const channel of this.#channels) {
      const seen = left-- > 0;
      if (seen && take(channel)) continue;
      lowest = Math.min(lowest, channel.untold);
      hasLate ||= channel.untold <= this.#late;
      if (seen) continue;
      return { told: Math.min(lowest, this.#late) - 1, atAll: false };
    }
    if (!hasLate) this.#late = Infinity;
    return { told: lowest === Infinity ? undefined : lowest - 1, atAll: true };
  }
}
