import { Peer, type Tops } from "./heard_channel.ts";

/** How many other nodes are remembered, and for how long after they were heard, in milliseconds. */
const MAXIMUM_PEERS = 1000;
const REMEMBERED = 600_000;
/** What was heard of all nodes is noted at most so often, in milliseconds. */
const TOPS_INTERVAL = 100;

/** The other nodes, as far as their numbers go. */
export class Peers implements Iterable<Peer> {
  readonly #peers = new Map<string, Peer>();
  readonly #met: (name: string) => void;
  /** The sender of the last message: most messages come in runs. */
  #latest: Peer | undefined;
  #tops: Tops = new Map();
  #topsAt = -Infinity;

  /** `met` learns of each node when it is heard for the first time. */
  constructor(met: (name: string) => void) {
    this.#met = met;
  }

  /** A node that was heard before. */
  get(name: string): Peer | undefined {
    return this.#peers.get(name);
  }

  /** The node that is heard now; `undefined` if there are too many. */
  heard(name: string, now: number): Peer | undefined {
    let peer = this.#latest?.name === name ? this.#latest : this.#peers.get(name);
    if (peer === undefined) {
      if (this.#peers.size >= MAXIMUM_PEERS) return undefined;
      this.#peers.set(name, peer = new Peer(name));
      this.#met(name);
    }
    this.#latest = peer;
    peer.heard = now;
    return peer;
  }

  /** What was heard of each node up to now, or up to a moment ago. */
  tops(now: number): Tops {
    if (now - this.#topsAt >= TOPS_INTERVAL) {
      this.#topsAt = now;
      this.#tops = new Map();
      for (const peer of this.#peers.values()) this.#tops.set(peer, peer.top);
    }
    return this.#tops;
  }

  /** Forgets the nodes that have ended and were not heard for long; returns them. */
  forgetOld(now: number): Peer[] {
    const old: Peer[] = [];
    for (const peer of this.#peers.values()) {
      if (!peer.alive && now - peer.heard > REMEMBERED) old.push(peer);
    }
    for (const peer of old) {
      this.#peers.delete(peer.name);
      if (this.#latest === peer) this.#latest = undefined;
    }
    return old;
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }
}
