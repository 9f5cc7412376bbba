import { Asked, QuestionIds, SLACK } from "./asked.ts";
import type { HeardChannel, IndexSearch, Peer } from "./heard_channel.ts";
import { HoleRepairs, type RepairLimits } from "./hole_repairs.ts";
import { follows, type Hole, REPEAT_INTERVAL } from "./holes.ts";
import type { HubSign, IndexAnswer, MessagesAnswer } from "./node_messages.ts";
import { listensSince, lostBefore, lostPerhaps } from "./listened_channels.ts";
import { Peers } from "./peers.ts";
import { Recovery } from "./recovery.ts";
import type { Arrival, RepairEffects } from "./repair_effects.ts";

/**
 * Finds what this node has missed of the others, by the numbers of their messages, and asks for it.
 * CONTINUITY §1. Pure: `now` is a time in milliseconds that never goes back.
 *
 * - **Hole**: a message that does not follow the last one of its sender and channel waits, with all
 *   later ones, until the sender has repeated those before it: for `timeout` at most, or twice as long
 *   where the sender gives no signs meanwhile.
 * - **Index**: after the bus was away, or a sign was missed, the sender is asked which channels it
 *   has published on.
 */
export class Repair {
  readonly #effects: RepairEffects;
  readonly #timeout: number;
  readonly #holes: HoleRepairs;
  readonly #peers: Peers;
  /** The nodes and holes on which the end of an outage still depends. */
  readonly #recovery: Recovery;

  constructor(
    effects: RepairEffects,
    limits: RepairLimits,
    peers: Peers = new Peers((name) => effects.met(name)),
    ids: QuestionIds = new QuestionIds(),
  ) {
    this.#effects = effects;
    this.#timeout = limits.timeout;
    this.#recovery = new Recovery(() => effects.settled());
    this.#holes = new HoleRepairs(effects, this.#recovery, limits, ids);
    this.#peers = peers;
  }

  /** Whether nothing is asked, so that {@link tick} has nothing to do. */
  get idle(): boolean {
    if (!this.#holes.none) return false;
    for (const { index, deadSince } of this.#peers) {
      if (index !== undefined || deadSince !== undefined) return false;
    }
    return true;
  }

  /** Up to this number nothing of a node is missing on a channel. */
  whole(channel: HeardChannel, peer: Peer): number {
    const hole = this.#holes.get(channel, peer);
    return hole?.after ?? Math.max(channel.floor(peer), peer.sure);
  }

  /** The bus is asked for a channel. */
  requested(channel: HeardChannel, now: number): void {
    channel.tops = this.#peers.tops(now);
    channel.requestedAt = now;
  }

  /** The bus has confirmed a channel; or a message on it has come, which says the same. */
  confirmed(channel: HeardChannel, now: number): void {
    channel.confirmedAt ??= now;
  }

  /** This node does not listen to a channel any more. */
  closed(channel: HeardChannel): void {
    channel.confirmedAt = undefined;
    this.#holes.closed(channel);
  }

  /**
   * Whether a message comes directly behind the last one of its sender on a channel: then it is to be
   * delivered now. Most do; any other has {@link arrived}.
   */
  continues(channel: HeardChannel, node: string, number: number, back: number): boolean {
    const peer = this.#peers.get(node);
    if (peer === undefined || channel.confirmedAt === undefined) return false;
    const last = channel.last(peer);
    if (last === undefined || number <= last || number - back !== last) return false;
    if (!this.#holes.none && this.#holes.get(channel, peer) !== undefined) return false;
    this.#peers.spoke(peer, number);
    channel.passed(peer, number);
    return true;
  }

  /** A message has come; returns whether it is to be delivered now. */
  arrived(channel: HeardChannel, { node, number, back, payload }: Arrival, now: number): boolean {
    const peer = this.#peers.heard(node, now);
    if (peer === undefined) return true;
    this.#peers.reached(peer, number);
    channel.confirmedAt ??= now;
    const hole = this.#holes.none ? undefined : this.#holes.get(channel, peer);
    const floor = hole?.after ?? channel.floor(peer);
    if (number <= floor) return false;
    if (hole === undefined && follows(number, back, Math.max(floor, peer.sure))) {
      channel.passed(peer, number);
      return true;
    }
    this.#holes.hold(channel, peer, { number, back, payload }, now);
    return false;
  }

  /** A sign of another node has come; `missed` says that one before it has not. */
  sign(node: string, sign: HubSign, missed: boolean, now: number): void {
    const peer = this.#peers.heard(node, now);
    if (peer === undefined) return;
    const fresh = peer.known < 0;
    peer.alive = true;
    peer.deadSince = undefined;
    this.#peers.reached(peer, sign.number);
    for (const [name, number] of sign.tails) this.#tail(name, peer, number, now);
    // Where the sender could not list everything, it has told less than before.
    const gapped = missed || sign.told < peer.known || (sign.told === 0 && sign.number > 0);
    if (peer.index !== undefined) peer.index.again ||= gapped;
    else if (fresh) {
      peer.known = 0;
      if (sign.number > 0 && listensSince(this.#effects) !== undefined) this.#search(peer, 0, now);
      else peer.known = sign.told;
    } else if (gapped) this.#search(peer, peer.known, now);
    else peer.known = sign.told;
  }

  /** Another node has said on which channels it has published. */
  indexed(node: string, answer: IndexAnswer, now: number): void {
    const peer = this.#peers.get(node);
    const search = peer?.index;
    // While there are too many holes, the same is asked again later.
    if (peer === undefined || search === undefined || this.#holes.crowded) return;
    if (search.upTo !== answer.after || search.asked.answered(answer.id, now) === undefined) return;
    peer.heard = now;
    this.#peers.reached(peer, answer.number);
    if (answer.from - 1 > search.upTo) lostBefore(this.#effects, peer, answer, now);
    for (const [name, number] of answer.channels) {
      const hole = this.#tail(name, peer, number, now);
      this.#recovery.follow(peer, hole);
    }
    if (answer.upTo < answer.number) {
      // There is more: a channel may have had messages before, whose last one comes later.
      if (answer.upTo <= search.upTo) return;
      search.upTo = answer.upTo;
      search.asked.clear();
      return this.#ask(peer, search, now);
    }
    peer.known = Math.max(peer.known, answer.upTo);
    peer.index = undefined;
    if (search.again) this.#search(peer, answer.upTo, now);
    else this.#recovery.end(peer);
  }

  /** Another node has repeated its messages on a channel. */
  repeated(node: string, answer: MessagesAnswer, now: number): void {
    const peer = this.#peers.get(node);
    const channel = this.#effects.channel(answer.channel);
    const hole = peer && channel && this.#holes.get(channel, peer);
    if (hole === undefined) return;
    hole.peer.heard = now;
    this.#peers.reached(hole.peer, answer.upTo);
    if (this.#holes.answered(hole, answer, now)) this.#peers.refute(hole.peer, answer.number);
  }

  /** The connection to the bus is lost: what other nodes tell from now on may not arrive. */
  away(): void {
    for (const peer of this.#peers) peer.frozen ??= peer.sure;
  }

  /** The bus is back, and messages may have been lost. {@link RepairEffects.settled} follows. */
  missed(now: number): void {
    const living: Peer[] = [];
    for (const peer of this.#peers) {
      const after = Math.min(peer.frozen ?? peer.sure, peer.sure);
      peer.frozen = undefined;
      if (!peer.alive) continue;
      if (peer.deadSince !== undefined) peer.deadSince = now;
      living.push(peer);
      this.#search(peer, after, now);
    }
    this.#recovery.begin(living);
  }

  /** The bus is back, and nothing was lost. */
  back(): void {
    for (const peer of this.#peers) peer.frozen = undefined;
  }

  /** Another node is there no more. One that counts as dead may only have been away: it is still asked. */
  ended(node: string, how: "gone" | "dead", now: number): void {
    const peer = this.#peers.get(node);
    if (peer === undefined || !peer.alive) return;
    if (how === "dead") peer.deadSince ??= now;
    else this.#end(peer, now);
  }

  /** Repeats questions, and gives up what takes too long. Called while not {@link idle}. */
  tick(now: number): void {
    if (!this.#effects.open) return;
    this.#holes.tick(now);
    for (const peer of this.#peers) {
      const { deadSince, index } = peer;
      if (deadSince !== undefined && now - deadSince >= this.#timeout) this.#end(peer, now);
      else if (index !== undefined && now - (index.asked.lastAt ?? -Infinity) >= REPEAT_INTERVAL) {
        this.#ask(peer, index, now);
      }
    }
  }

  /** Forgets nodes that were not heard for long; returns them, so that their numbers go as well. */
  forgetOld(now: number): Peer[] {
    return this.#peers.forgetOld(now);
  }

  /** Nothing more comes from another node: its last words may be missing. */
  #end(peer: Peer, now: number): void {
    if (peer.index !== undefined || (peer.deadSince !== undefined && this.#effects.lossy)) {
      lostPerhaps(this.#effects);
    }
    peer.alive = false;
    peer.index = peer.deadSince = undefined;
    this.#holes.ended(peer, now);
    this.#recovery.end(peer);
  }

  /** The last message of a channel has the number `number`. Returns the hole, if something is missing. */
  #tail(name: string, peer: Peer, number: number, now: number): Hole | undefined {
    const channel = this.#effects.channel(name);
    if (channel?.confirmedAt === undefined) return undefined;
    const hole = this.#holes.get(channel, peer);
    if (hole === undefined && number <= channel.floor(peer)) return undefined;
    return this.#holes.want(channel, peer, number, now);
  }

  #search(peer: Peer, after: number, now: number): void {
    const from = Math.min(after, peer.index?.after ?? after);
    const again = peer.index?.again ?? false;
    peer.index = { after: from, upTo: from, asked: new Asked(), again };
    this.#ask(peer, peer.index, now);
  }

  #ask(peer: Peer, search: IndexSearch, now: number): void {
    if (!this.#effects.open) return;
    const id = this.#holes.ids.next();
    search.asked.add(id, now, 0);
    const { upTo: after } = search;
    const since = search.after === 0 ? listensSince(this.#effects) : undefined;
    const age = since === undefined ? undefined : now - since + SLACK;
    this.#effects.ask(peer.name, { kind: "askIndex", id, after, age });
  }
}
