import type { Asked } from "./asked.ts";
import type { HeardChannel, Peer } from "./heard_channel.ts";

/** A question is repeated so often, in milliseconds. */
export const REPEAT_INTERVAL = 250;
/** How many questions are open at once. */
const MAXIMUM_ASKING = 64;
/** What a held message counts beside its payload. */
const HELD_BYTES = 128;
/** How many holes there may be at once. */
const MAXIMUM_HOLES = 10_000;

/** A message that waits for those before it. */
export interface Held {
  readonly number: number;
  readonly back: number;
  readonly payload: Uint8Array;
}

/** A channel and a sender on it, of whom something is missing. */
export interface Hole {
  readonly channel: HeardChannel;
  readonly peer: Peer;
  /** The messages after this number are looked for, and up to that one. */
  after: number;
  want: number;
  /** Whether nothing of the sender was delivered on the channel yet. */
  readonly first: boolean;
  /** What came meanwhile, in the order of its coming. */
  readonly held: Map<number, Held>;
  /** The highest number that is held, and whether a lower one came after it. */
  highest: number;
  disordered: boolean;
  /** Whether nothing is asked any more: what is held is delivered, and the rest is reported. */
  givenUp: boolean;
  /** Whether what is held is on its way to the members. */
  leaving: boolean;
  bytes: number;
  /** The questions about what comes after {@link after}; the last one was about what comes after this number. */
  readonly asked: Asked;
  askedAfter: number;
  /** For how long no answer has brought anything. */
  waited: number;
}

/** All holes of a hub; bounded in number, and in the bytes that are held. */
export class Holes implements Iterable<Hole> {
  readonly #maximumBytes: number;
  readonly #byChannel = new Map<HeardChannel, Map<Peer, Hole>>();
  readonly #asking = new Set<Hole>();
  readonly #waiting = new Set<Hole>();
  #bytes = 0;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  /** Whether there is none. */
  get none(): boolean {
    return this.#byChannel.size === 0;
  }

  /** Whether there are so many that nobody looks for others. */
  get crowded(): boolean {
    return this.#asking.size + this.#waiting.size >= MAXIMUM_HOLES;
  }

  /** Whether there may be no more. */
  get full(): boolean {
    return this.#asking.size + this.#waiting.size >= 2 * MAXIMUM_HOLES;
  }

  /** The hole of a sender on a channel, if there is one. */
  get(channel: HeardChannel, peer: Peer): Hole | undefined {
    return this.#byChannel.get(channel)?.get(peer);
  }

  /** The holes of a channel. */
  of(channel: HeardChannel): Hole[] {
    return [...this.#byChannel.get(channel)?.values() ?? []];
  }

  /** Opens a hole. Returns whether its question may be asked now. */
  open(hole: Hole): boolean {
    const { channel, peer } = hole;
    const peers = this.#byChannel.get(channel);
    if (peers === undefined) this.#byChannel.set(channel, new Map([[peer, hole]]));
    else peers.set(peer, hole);
    const mayAsk = this.#asking.size < MAXIMUM_ASKING;
    (mayAsk ? this.#asking : this.#waiting).add(hole);
    return mayAsk;
  }

  /** Holds a copy of a message. If there is no room for the message, its sender has to repeat it too. */
  hold(hole: Hole, message: Held): void {
    const bytes = message.payload.length + HELD_BYTES;
    if (hole.held.has(message.number) || this.#bytes + bytes > this.#maximumBytes) return;
    this.#add(hole, { ...message, payload: message.payload.slice() });
  }

  /** A message is held no longer. */
  release(hole: Hole, message: Held): void {
    if (!hole.held.delete(message.number)) return;
    this.#count(hole, -(message.payload.length + HELD_BYTES));
  }

  /**
   * The sender has given no number above `last`, although it was asked for those up to `want`: another
   * one has made them up. Returns how many messages came under them, which are held no longer.
   */
  refute(hole: Hole, last: number, want: number): number {
    const { held } = hole;
    const before = held.size;
    let highest = 0;
    for (const message of held.values()) {
      if (message.number > last && message.number <= want) this.release(hole, message);
      else highest = Math.max(highest, message.number);
    }
    hole.highest = highest;
    if (hole.want <= want) hole.want = Math.max(highest, last);
    return before - held.size;
  }

  /** What is held, by its numbers. */
  inOrder(hole: Hole): Iterable<Held> {
    if (hole.disordered) {
      const messages = sorted(hole.held);
      hole.held.clear();
      for (const [number, message] of messages) hole.held.set(number, message);
      hole.disordered = false;
    }
    return hole.held.values();
  }

  #add(hole: Hole, message: Held): void {
    if (message.number < hole.highest) hole.disordered = true;
    hole.highest = Math.max(hole.highest, message.number);
    hole.held.set(message.number, message);
    this.#count(hole, message.payload.length + HELD_BYTES);
  }

  #count(hole: Hole, bytes: number): void {
    hole.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Whether a hole is open still. */
  has(hole: Hole): boolean {
    return this.get(hole.channel, hole.peer) === hole;
  }

  /** Closes a hole; returns another one whose question may be asked now, if there is one. */
  close(hole: Hole): Hole | undefined {
    const { channel, peer } = hole;
    const peers = this.#byChannel.get(channel);
    if (peers?.get(peer) !== hole) return undefined;
    peers.delete(peer);
    if (peers.size === 0) this.#byChannel.delete(channel);
    this.#bytes -= hole.bytes;
    this.#waiting.delete(hole);
    if (!this.#asking.delete(hole)) return undefined;
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    this.#waiting.delete(next);
    this.#asking.add(next);
    return next;
  }

  /** The holes whose question is asked. */
  get asking(): readonly Hole[] {
    return [...this.#asking];
  }

  *[Symbol.iterator](): Iterator<Hole> {
    yield* this.#asking;
    yield* this.#waiting;
  }
}

/** Whether a message comes directly behind `floor`. */
export function follows(number: number, back: number, floor: number): boolean {
  return (back > 0 ? number - back : back < 0 ? number + back : 0) <= floor;
}

/** Messages by their numbers. */
export function sorted<M>(messages: ReadonlyMap<number, M>): [number, M][] {
  return [...messages].sort(([one], [other]) => one - other);
}
