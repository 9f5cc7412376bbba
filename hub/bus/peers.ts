import { Peer, type Tops } from "./heard_channel.ts";

/** How many other nodes are remembered, and for how long after they were heard, in milliseconds. */
const MAXIMUM_PEERS = 1000;
const REMEMBERED = 600_000;
/** Where there are more nodes, what was heard of all is noted at most so often, in milliseconds. */
const FEW_PEERS = 16;
const TOPS_INTERVAL = 100;
/** For how long it is needed, in milliseconds: some signs. */
const TOPS_NEEDED = 10_000;
/** How many notes are forgotten at a time. */
const MAXIMUM_FORGOTTEN = 10_000;
const NOTHING: Tops = { numbers: undefined };

/** The other nodes, as far as their numbers go. */
export class Peers implements Iterable<Peer> {
  readonly #peers = new Map<string, Peer>();
  readonly #met: (name: string) => void;
  /** The sender of the last message: most messages come in runs. */
  #latest: Peer | undefined;
  /** What was heard of all nodes at some moments; the oldest comes first. */
  readonly #snapshots: { readonly at: number; readonly tops: Tops }[] = [];
  /** Whether more was heard since the last of them. */
  #changed = true;

  /** `met` learns of each node when it is heard for the first time. */
  constructor(met: (name: string) => void) {
    this.#met = met;
  }

  /** A node that was heard before. */
  get(name: string): Peer | undefined {
    return this.#latest?.name === name ? this.#latest : this.#peers.get(name);
  }

  /** A node was heard now, with a number of its own; {@link forgetOld} looks at the time. */
  spoke(peer: Peer, number: number): void {
    this.#latest = peer;
    peer.spoke = true;
    this.reached(peer, number);
  }

  /** The node that is heard now; `undefined` if there are too many. */
  heard(name: string, now: number): Peer | undefined {
    let peer = this.get(name);
    if (peer === undefined) {
      if (this.#peers.size >= MAXIMUM_PEERS) return undefined;
      this.#peers.set(name, peer = new Peer(name));
      this.#met(name);
    }
    this.#latest = peer;
    peer.heard = now;
    return peer;
  }

  /** A number of a node was heard. */
  reached(peer: Peer, number: number): void {
    if (number <= peer.top) return;
    peer.top = number;
    this.#changed = true;
  }

  /** A node has given no number above this one: a higher one that was heard is not its own. */
  refute(peer: Peer, number: number): void {
    peer.top = number;
    for (const { tops } of this.#snapshots) {
      if ((tops.numbers?.get(peer) ?? 0) > number) tops.numbers?.set(peer, number);
    }
  }

  /** What was heard of each node up to now, or up to a moment ago where there are many. */
  tops(now: number): Tops {
    const { at, tops } = this.#snapshots.at(-1) ?? { at: -Infinity, tops: NOTHING };
    const recent = this.#peers.size > FEW_PEERS && now - at < TOPS_INTERVAL;
    if (!this.#changed || recent) return tops;
    this.#changed = false;
    const numbers = new Map<Peer, number>();
    for (const peer of this.#peers.values()) numbers.set(peer, peer.top);
    const fresh: Tops = { numbers };
    this.#snapshots.push({ at: now, tops: fresh });
    return fresh;
  }

  /** Forgets old notes, and the nodes that have ended and were not heard for long; returns those. */
  forgetOld(now: number): Peer[] {
    this.#forgetTops(now);
    const old: Peer[] = [];
    for (const peer of this.#peers.values()) {
      if (peer.spoke) peer.heard = now;
      peer.spoke = false;
      if (!peer.alive && now - peer.heard > REMEMBERED) old.push(peer);
    }
    for (const peer of old) {
      this.#peers.delete(peer.name);
      if (this.#latest === peer) this.#latest = undefined;
    }
    return old;
  }

  #forgetTops(now: number): void {
    const needed = this.#snapshots.findIndex(({ at }) => now - at < TOPS_NEEDED);
    // The last note is still true while nothing more is heard.
    const old = needed < 0 ? this.#snapshots.length - 1 : needed;
    for (const { tops } of this.#snapshots.splice(0, Math.min(old, MAXIMUM_FORGOTTEN))) {
      // Channels that have it need it no longer: what signs have told since is more.
      tops.numbers = undefined;
    }
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }
}
