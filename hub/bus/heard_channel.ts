import type { Asked } from "./asked.ts";
import type { Recipient } from "./recipient.ts";

/** Another node, as far as its numbers go. */
export class Peer {
  readonly name: string;
  /** The highest number heard of it, on whatever channel. */
  top = 0;
  /** Up to this number everything was listed by unbroken signs, or by an index; below zero before the first. */
  known = -1;
  /** {@link known} when the bus went away. */
  frozen: number | undefined;
  /** What it is asked for an index of. */
  index: IndexSearch | undefined;
  /** Whether it was alive when it was last judged. */
  alive = true;
  /** When it was last heard, and whether it was heard since that was noted. */
  heard = 0;
  spoke = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Up to this number nothing is missing on a channel that has no hole. */
  get sure(): number {
    return this.index === undefined ? Math.max(this.known, 0) : this.index.after;
  }
}

/** Questions for an index, until they are answered. */
export interface IndexSearch {
  /** Everything after this number is looked for. */
  readonly after: number;
  /** Up to this number it has been answered. */
  upTo: number;
  /** The questions about what comes behind. */
  readonly asked: Asked;
  /** Whether a sign was missed meanwhile. */
  again: boolean;
}

/** The highest number heard of each node at one moment, as long as somebody needs it. */
export interface Tops {
  numbers: Map<Peer, number> | undefined;
}

/** A channel that this node listens to, with the last number of each sender on it. */
export class HeardChannel {
  readonly name: string;
  /** The connections of this node that messages on the channel are for. */
  readonly audience: Iterable<Recipient>;
  /** Whether the list of excluded connections in a message counts. */
  readonly heedsExclusions: boolean;
  /** When the bus was asked for it, and when the bus confirmed it. */
  requestedAt = 0;
  confirmedAt: number | undefined;
  /** What had been heard of each node when the bus was asked. */
  tops: Tops | undefined;
  /** The sender that was heard first, and its last number: most channels have one sender. */
  #sender: Peer | undefined;
  #last = 0;
  /** The last numbers of the others. */
  #others: Map<Peer, number> | undefined;

  constructor(name: string, audience: Iterable<Recipient>, heedsExclusions: boolean) {
    this.name = name;
    this.audience = audience;
    this.heedsExclusions = heedsExclusions;
  }

  /** The last number of a sender that was delivered; `undefined` before the first. */
  last(peer: Peer): number | undefined {
    return this.#sender === peer ? this.#last : this.#others?.get(peer);
  }

  /** What comes up to this number is old, or a duplicate. */
  floor(peer: Peer): number {
    return this.last(peer) ?? Math.max(this.tops?.numbers?.get(peer) ?? 0, peer.sure);
  }

  /** A message was delivered, or is given up. */
  passed(peer: Peer, number: number): void {
    if (this.#sender === undefined && !this.#others?.has(peer)) this.#sender = peer;
    if (this.#sender === peer) this.#last = number;
    else (this.#others ??= new Map()).set(peer, number);
  }

  /** Forgets the numbers of a node. */
  forget(peer: Peer): void {
    if (this.#sender === peer) this.#sender = undefined;
    else this.#others?.delete(peer);
  }
}
