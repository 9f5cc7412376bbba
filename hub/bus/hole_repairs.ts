import type { HeardChannel, Peer } from "./heard_channel.ts";
import { follows, type Held, type Hole, Holes, REPEAT_INTERVAL, sorted } from "./holes.ts";
import { joined } from "./joined_messages.ts";
import type { MessagesAnswer } from "./node_messages.ts";
import type { Recovery } from "./recovery.ts";
import type { RepairEffects } from "./repair_effects.ts";

/**
 * Nobody is asked for messages that were handed over so long before a channel was wanted, in milliseconds;
 * this is longer than an answer may take.
 */
export const SLACK = 2000;

/** Asks for what is missing on a channel, and delivers what comes and what was held. */
export class HoleRepairs {
  readonly #effects: RepairEffects;
  readonly #timeout: number;
  readonly #holes: Holes;
  readonly #recovery: Recovery;
  #ids = 0;

  /** `timeout` is how long a hole may last, `maximumBytes` how much may be held. */
  constructor(
    effects: RepairEffects,
    recovery: Recovery,
    limits: { readonly timeout: number; readonly maximumBytes: number },
  ) {
    this.#effects = effects;
    this.#recovery = recovery;
    this.#timeout = limits.timeout;
    this.#holes = new Holes(limits.maximumBytes);
  }

  /** Whether there is none. */
  get none(): boolean {
    return this.#holes.none;
  }

  /** The hole of a sender on a channel, if there is one. */
  get(channel: HeardChannel, peer: Peer): Hole | undefined {
    return this.#holes.get(channel, peer);
  }

  /** Messages up to `number` are missing. */
  want(channel: HeardChannel, peer: Peer, number: number, now: number): Hole {
    let hole = this.#holes.get(channel, peer);
    if (hole === undefined) {
      const first = channel.last(peer) === undefined;
      const counts = { after: channel.floor(peer), bytes: 0, id: 0, askedAt: now, waited: 0 };
      hole = { channel, peer, want: number, first, held: new Map(), ...counts };
      if (this.#holes.open(hole)) this.#ask(hole, now);
    }
    hole.want = Math.max(hole.want, number);
    if (this.#holes.full) this.giveUp(hole);
    return hole;
  }

  /** Messages before this one are missing. */
  hold(channel: HeardChannel, peer: Peer, message: Held, now: number): void {
    const hole = this.want(channel, peer, message.number, now);
    if (!this.#holes.hold(hole, message)) this.giveUp(hole);
  }

  /** The sender has repeated its messages. Returns what was held and comes behind them. */
  answered(hole: Hole, answer: MessagesAnswer, now: number): readonly Held[] {
    const { channel, peer } = hole;
    const { deliver, lost, last, rest } = joined(hole, answer, now);
    this.#close(hole);
    channel.passed(peer, last);
    for (const payload of deliver) this.#effects.deliver(channel, payload);
    if (lost > 0) this.#effects.lost(channel, lost);
    return rest;
  }

  /** Delivers what is held, and reports what is missing. */
  giveUp(hole: Hole): void {
    const { channel, peer } = hole;
    this.#close(hole);
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
    this.#recovery.end(hole);
  }

  /** Nobody listens to a channel any more. */
  closed(channel: HeardChannel): void {
    for (const hole of this.#holes.of(channel)) {
      this.#close(hole);
      this.#recovery.end(hole);
    }
  }

  /** A sender is there no more. */
  ended(peer: Peer): void {
    for (const hole of [...this.#holes]) if (hole.peer === peer) this.giveUp(hole);
  }

  /** Repeats questions, and gives up what takes too long. */
  tick(now: number): void {
    for (const hole of this.#holes.asking) {
      if (now - hole.askedAt < REPEAT_INTERVAL && hole.id !== 0) continue;
      if (hole.waited >= this.#timeout) this.giveUp(hole);
      else this.#ask(hole, now);
    }
  }

  #ask(hole: Hole, now: number): void {
    if (!this.#effects.open) return;
    const { channel, peer, after } = hole;
    const id = hole.id = ++this.#ids;
    hole.askedAt = now;
    hole.waited += REPEAT_INTERVAL;
    const age = hole.first ? now - channel.requestedAt + SLACK : undefined;
    this.#effects.ask(peer.name, { kind: "askMessages", id, channel: channel.name, after, age });
  }

  #close(hole: Hole): void {
    const next = this.#holes.close(hole);
    if (next !== undefined) this.#ask(next, next.askedAt);
  }
}
