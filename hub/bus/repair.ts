import { type HeardChannel, Peer, type Tops } from "./heard_channel.ts";
import { follows, type Hole, Holes, REPEAT_INTERVAL, sorted } from "./holes.ts";
import { joined } from "./joined_messages.ts";
import type { HubSign, IndexAnswer, MessagesAnswer } from "./node_messages.ts";

/** How many other nodes are remembered, and for how long after they were heard, in milliseconds. */
const MAXIMUM_PEERS = 1000;
const REMEMBERED = 600_000;
/** What was heard of all nodes is noted at most so often, in milliseconds. */
const TOPS_INTERVAL = 100;
/**
 * Nobody is asked for messages that were handed over so long before a channel was wanted, in milliseconds;
 * this is longer than an answer may take.
 */
const SLACK = 2000;

/** A question to another node. */
export type Asked =
  & { readonly id: number; readonly after: number; readonly age: number | undefined }
  & (
    | { readonly kind: "askIndex" }
    | { readonly kind: "askMessages"; readonly channel: string }
  );

/** What a {@link Repair} asks of its surroundings. */
export interface RepairEffects {
  /** Whether questions reach other nodes now. */
  readonly open: boolean;
  /** Whether a message that the bus has accepted may be lost although this node was never away. */
  readonly lossy: boolean;
  /** The channel of that name, if this node listens to it. */
  channel(name: string): HeardChannel | undefined;
  /** All channels that this node listens to. */
  channels(): Iterable<HeardChannel>;
  /** A message that was held, or repeated. */
  deliver(channel: HeardChannel, payload: Uint8Array): void;
  ask(node: string, question: Asked): void;
  /** So many messages of a channel are missing, at least; 0 if perhaps none is. */
  lost(channel: HeardChannel, missing: number): void;
  /** Everything that was missing after the bus was away has been repaired or reported. */
  settled(): void;
}

/** A message of another node. */
export interface Arrival {
  readonly node: string;
  readonly number: number;
  readonly back: number;
  readonly payload: Uint8Array;
}

/**
 * Finds what this node has missed of the others, by the numbers of their messages, and asks for it.
 * CONTINUITY §1. Pure: `now` is a time in milliseconds that never goes back.
 *
 * - **Hole**: a message that does not follow the last one of its sender and channel waits, with all
 *   later ones, until the sender has repeated those before it, for `timeout` at most.
 * - **Index**: after the bus was away, or a sign was missed, the sender is asked which channels it
 *   has published on.
 */
export class Repair {
  readonly #effects: RepairEffects;
  readonly #timeout: number;
  readonly #holes: Holes;
  readonly #peers = new Map<string, Peer>();
  /** The sender of the last message: most messages come in runs. */
  #latest: Peer | undefined;
  #tops: Tops = new Map();
  #topsAt = -Infinity;
  #ids = 0;
  /** The nodes and holes on which the end of an outage still depends. */
  readonly #recovering = new Set<Peer | Hole>();

  /** `timeout` is how long a hole may last, `maximumBytes` how much may be held. */
  constructor(effects: RepairEffects, limits: { timeout: number; maximumBytes: number }) {
    this.#effects = effects;
    this.#timeout = limits.timeout;
    this.#holes = new Holes(limits.maximumBytes);
  }

  /** Whether nothing is asked, so that {@link tick} has nothing to do. */
  get idle(): boolean {
    if (!this.#holes.none) return false;
    for (const peer of this.#peers.values()) if (peer.index !== undefined) return false;
    return true;
  }

  /** The bus is asked for a channel. */
  requested(channel: HeardChannel, now: number): void {
    if (now - this.#topsAt >= TOPS_INTERVAL) {
      this.#topsAt = now;
      this.#tops = new Map();
      for (const peer of this.#peers.values()) this.#tops.set(peer, peer.top);
    }
    channel.tops = this.#tops;
    channel.requestedAt = now;
  }

  /** The bus has confirmed a channel; or a message on it has come, which says the same. */
  confirmed(channel: HeardChannel, now: number): void {
    channel.confirmedAt ??= now;
  }

  /** This node does not listen to a channel any more. */
  closed(channel: HeardChannel): void {
    channel.confirmedAt = undefined;
    for (const hole of this.#holes.of(channel)) this.#close(hole);
  }

  /** A message has come; returns whether it is to be delivered now. */
  arrived(channel: HeardChannel, { node, number, back, payload }: Arrival, now: number): boolean {
    const peer = this.#latest?.name === node ? this.#latest : this.#peer(node, now);
    if (peer === undefined) return true;
    this.#latest = peer;
    peer.heard = now;
    if (number > peer.top) peer.top = number;
    channel.confirmedAt ??= now;
    const hole = this.#holes.none ? undefined : this.#holes.get(channel, peer);
    const floor = hole?.after ?? channel.floor(peer);
    if (number <= floor) return false;
    if (hole === undefined && follows(number, back, Math.max(floor, peer.sure))) {
      channel.passed(peer, number);
      return true;
    }
    const target = hole ?? this.#open(channel, peer, number, now);
    target.want = Math.max(target.want, number);
    const fits = this.#holes.hold(target, { number, back, payload });
    if (!fits || this.#holes.full) this.#giveUp(target);
    return false;
  }

  /** A sign of another node has come; `missed` says that one before it has not. */
  sign(node: string, sign: HubSign, missed: boolean, now: number): void {
    const peer = this.#peer(node, now);
    if (peer === undefined) return;
    const fresh = peer.known < 0;
    peer.heard = now;
    peer.alive = true;
    peer.top = Math.max(peer.top, sign.number);
    for (const [name, number] of sign.tails) this.#tail(name, peer, number, now);
    if (fresh) {
      peer.known = 0;
      if (sign.number > 0 && this.#listensSince() !== undefined) this.#search(peer, 0, now);
      else peer.known = sign.told;
    } else if (peer.index !== undefined) peer.index.again ||= missed || sign.told < peer.known;
    else if (missed || sign.told < peer.known) this.#search(peer, peer.known, now);
    else peer.known = sign.told;
  }

  /** Another node has said on which channels it has published. */
  indexed(node: string, answer: IndexAnswer, now: number): void {
    const peer = this.#peers.get(node);
    const search = peer?.index;
    if (peer === undefined || search === undefined || search.id !== answer.id) return;
    peer.heard = now;
    peer.top = Math.max(peer.top, answer.number);
    if (answer.from - 1 > search.after) this.#lostBefore(peer, answer, now);
    const recovering = this.#recovering.has(peer);
    for (const [name, number] of answer.channels) this.#tail(name, peer, number, now, recovering);
    peer.known = Math.max(peer.known, answer.upTo);
    peer.index = undefined;
    if (answer.upTo < answer.number || search.again) this.#search(peer, answer.upTo, now);
    else this.#recovered(peer);
  }

  /** Another node has repeated its messages on a channel. */
  repeated(node: string, answer: MessagesAnswer, now: number): void {
    const peer = this.#peers.get(node);
    const channel = this.#effects.channel(answer.channel);
    const hole = peer && channel && this.#holes.get(channel, peer);
    if (hole === undefined || hole.id !== answer.id) return;
    hole.peer.heard = now;
    hole.peer.top = Math.max(hole.peer.top, answer.upTo);
    const { deliver, lost, last, rest } = joined(hole, answer, now);
    const recovering = this.#recovering.has(hole);
    this.#close(hole, false);
    hole.channel.passed(hole.peer, last);
    for (const payload of deliver) this.#effects.deliver(hole.channel, payload);
    if (lost > 0) this.#effects.lost(hole.channel, lost);
    this.#goOn(hole, rest, recovering, now);
    this.#recovered(hole);
  }

  /** The connection to the bus is lost: what other nodes tell from now on may not arrive. */
  away(): void {
    for (const peer of this.#peers.values()) peer.frozen ??= peer.sure;
  }

  /** The bus is back, and messages may have been lost. {@link RepairEffects.settled} follows. */
  missed(now: number): void {
    for (const peer of this.#peers.values()) {
      const after = Math.min(peer.frozen ?? peer.sure, peer.sure);
      peer.frozen = undefined;
      if (!peer.alive) continue;
      this.#recovering.add(peer);
      this.#search(peer, after, now);
    }
    if (this.#recovering.size === 0) this.#effects.settled();
  }

  /** The bus is back, and nothing was lost. */
  back(): void {
    for (const peer of this.#peers.values()) peer.frozen = undefined;
  }

  /** Another node is there no more. */
  ended(node: string, how: "gone" | "dead"): void {
    const peer = this.#peers.get(node);
    if (peer === undefined || !peer.alive) return;
    peer.alive = false;
    // Its last words may be missing.
    if (peer.index !== undefined || (how === "dead" && this.#effects.lossy)) {
      for (const channel of this.#effects.channels()) {
        if (channel.confirmedAt !== undefined) this.#effects.lost(channel, 0);
      }
    }
    peer.index = undefined;
    for (const hole of [...this.#holes]) if (hole.peer === peer) this.#giveUp(hole);
    this.#recovered(peer);
  }

  /** Repeats questions, and gives up what takes too long. Called while not {@link idle}. */
  tick(now: number): void {
    if (!this.#effects.open) return;
    for (const hole of this.#holes.asking) {
      if (now - hole.askedAt < REPEAT_INTERVAL && hole.id !== 0) continue;
      if (hole.waited >= this.#timeout) this.#giveUp(hole);
      else this.#ask(hole, now);
    }
    for (const peer of this.#peers.values()) {
      if (peer.index !== undefined && now - peer.index.askedAt >= REPEAT_INTERVAL) {
        this.#search(peer, peer.index.after, now);
      }
    }
  }

  /** Forgets nodes that were not heard for long; returns them, so that their numbers go as well. */
  forgetOld(now: number): Peer[] {
    const old = [...this.#peers.values()].filter((peer) =>
      !peer.alive && now - peer.heard > REMEMBERED
    );
    for (const peer of old) {
      this.#peers.delete(peer.name);
      if (this.#latest === peer) this.#latest = undefined;
    }
    return old;
  }

  #peer(name: string, now: number): Peer | undefined {
    const known = this.#peers.get(name);
    if (known !== undefined || this.#peers.size >= MAXIMUM_PEERS) return known;
    const peer = new Peer(name, now);
    this.#peers.set(name, peer);
    return peer;
  }

  #tail(name: string, peer: Peer, number: number, now: number, recovering = false): void {
    const channel = this.#effects.channel(name);
    if (channel?.confirmedAt === undefined) return;
    let hole = this.#holes.get(channel, peer);
    if (hole === undefined && number <= channel.floor(peer)) return;
    hole ??= this.#open(channel, peer, number, now);
    hole.want = Math.max(hole.want, number);
    if (recovering) this.#recovering.add(hole);
    if (this.#holes.full) this.#giveUp(hole);
  }

  #open(channel: HeardChannel, peer: Peer, want: number, now: number): Hole {
    const first = channel.last(peer) === undefined;
    const counts = { after: channel.floor(peer), bytes: 0, id: 0, askedAt: now, waited: 0 };
    const hole: Hole = { channel, peer, want, first, held: new Map(), ...counts };
    if (this.#holes.open(hole)) this.#ask(hole, now);
    return hole;
  }

  #ask(hole: Hole, now: number): void {
    if (!this.#effects.open) return;
    const { channel, peer, after } = hole;
    hole.id = ++this.#ids;
    hole.askedAt = now;
    hole.waited += REPEAT_INTERVAL;
    const age = hole.first ? now - channel.requestedAt + SLACK : undefined;
    this.#effects.ask(peer.name, {
      kind: "askMessages",
      ...{ id: hole.id, channel: channel.name, after, age },
    });
  }

  #search(peer: Peer, after: number, now: number): void {
    const id = ++this.#ids;
    const again = peer.index?.again ?? false;
    peer.index = { after: Math.min(after, peer.index?.after ?? after), id, askedAt: now, again };
    if (!this.#effects.open) return;
    const since = peer.index.after === 0 ? this.#listensSince() : undefined;
    const age = since === undefined ? undefined : now - since + SLACK;
    this.#effects.ask(peer.name, { kind: "askIndex", id, after: peer.index.after, age });
  }

  /** When the first channel was wanted that this node listens to now. */
  #listensSince(): number | undefined {
    let first: number | undefined;
    for (const { confirmedAt, requestedAt } of this.#effects.channels()) {
      if (confirmedAt === undefined) continue;
      first = Math.min(first ?? requestedAt, requestedAt);
    }
    return first;
  }

  /** A node does not know any more what it has published long ago. */
  #lostBefore(peer: Peer, { from, age }: IndexAnswer, now: number): void {
    for (const channel of this.#effects.channels()) {
      const { confirmedAt } = channel;
      if (confirmedAt === undefined || channel.floor(peer) >= from - 1) continue;
      // It was handed over before the channel was confirmed.
      if (channel.last(peer) === undefined && now - (age ?? Infinity) <= confirmedAt) continue;
      this.#effects.lost(channel, 0);
    }
  }

  /** What came after an answer is looked at again; what is still wanted is asked for. */
  #goOn(hole: Hole, rest: Hole["held"], recovering: boolean, now: number): void {
    const { channel, peer, want } = hole;
    for (const [number, { back, payload }] of rest) {
      const arrival = { node: peer.name, number, back, payload };
      if (this.arrived(channel, arrival, now)) this.#effects.deliver(channel, payload);
    }
    if (want > channel.floor(peer) && this.#holes.get(channel, peer) === undefined) {
      this.#open(channel, peer, want, now);
    }
    const next = this.#holes.get(channel, peer);
    if (next !== undefined && recovering) this.#recovering.add(next);
  }

  /** Delivers what is held, and reports what is missing. */
  #giveUp(hole: Hole): void {
    const { channel, peer } = hole;
    this.#close(hole, false);
    let at = hole.after;
    let lost = 0;
    for (const [number, message] of sorted(hole.held)) {
      if (number <= at) continue;
      if (!follows(number, message.back, at)) lost++;
      at = number;
      channel.passed(peer, at);
      this.#effects.deliver(channel, message.payload);
    }
    if (hole.want > at) {
      lost++;
      channel.passed(peer, hole.want);
    }
    if (lost > 0) this.#effects.lost(channel, lost);
    this.#recovered(hole);
  }

  #close(hole: Hole, settles = true): void {
    const next = this.#holes.close(hole);
    if (next !== undefined) this.#ask(next, next.askedAt);
    if (settles) this.#recovered(hole);
  }

  #recovered(part: Peer | Hole): void {
    if (this.#recovering.delete(part) && this.#recovering.size === 0) this.#effects.settled();
  }
}
