import type { BackplaneGap } from "../backplane.ts";
import type { Silence } from "../driver/silence.ts";
import type { Packet } from "./packet.ts";

interface Peer {
  /** The last post that is known to have been made; all up to it arrived or were reported. */
  readonly number: number;
  /** No message in a later post was published before this time. */
  readonly floor: number;
  /** When it last gave a sign. */
  readonly heard: number;
  readonly interval: number;
}

/**
 * Reads the numbers of the other instances' posts, to find what this one has missed.
 *
 * - A **hole** shows when a packet's number says that more was posted than arrived. A message in it
 *   was published after the last packet that arrived, and before the last post that did not.
 * - A peer met **for the first time** owes what it posted since this instance opened.
 * - A peer that falls **silent** may have posted until it died; nothing will ever say so.
 *
 * All times are on the steady clock of this thread.
 */
export class BroadcastPeers {
  readonly #peers = new Map<string, Peer>();
  readonly #opened: number;
  readonly #interval: number;
  readonly #silence: Silence;

  /** `opened` is when this instance began to listen, `interval` how often it expects a sign. */
  constructor(opened: number, interval: number, silence: Silence) {
    this.#opened = opened;
    this.#interval = interval;
    this.#silence = silence;
  }

  /** Whether a packet was seen before: one that was posted again may arrive twice. */
  knows({ from, kind, number }: Packet): boolean {
    return kind === "post" && number <= (this.#peers.get(from)?.number ?? 0);
  }

  /** Notes a packet that arrived at `now`; returns what was missed before it. */
  saw(packet: Packet, now: number): BackplaneGap | undefined {
    const { from, number, previous, at } = packet;
    const known = this.#peers.get(from);
    if (packet.kind === "bye") this.#peers.delete(from);
    else {
      const interval = packet.kind === "post" ? known?.interval ?? this.#interval : packet.interval;
      this.#peers.set(from, { number, floor: at, heard: now, interval });
    }
    const posted = packet.kind === "post" ? number - 1 : number;
    if (known !== undefined) {
      return posted > known.number ? gapOf(known.floor, previous) : undefined;
    }
    // Posts up to the millisecond in which this instance opened were not meant for it.
    const owes = posted > 0 && previous > this.#opened;
    return owes ? gapOf(this.#opened, previous) : undefined;
  }

  /** Forgets each peer that was silent for its interval and `timeout`; returns when they may have spoken. */
  silent(now: number, timeout: number): BackplaneGap | undefined {
    // An instance that was blocked itself has unread signs of the others.
    this.#silence.look(now);
    let since = Infinity;
    for (const [id, { heard, interval, floor }] of this.#peers) {
      if (this.#silence.since(heard, now) <= interval + timeout) continue;
      this.#peers.delete(id);
      since = Math.min(since, floor);
    }
    return since === Infinity ? undefined : gapOf(since, now);
  }
}

/** The times of different threads may differ a little. */
function gapOf(since: number, until: number): BackplaneGap {
  return { since: Math.min(since, until), until: Math.max(since, until) };
}
