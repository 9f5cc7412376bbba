import { Asked, SLACK } from "./asked.ts";
import type { HeardChannel, Peer } from "./heard_channel.ts";
import { follows, type Held, type Hole, Holes, REPEAT_INTERVAL, sorted } from "./holes.ts";
import { joined } from "./joined_messages.ts";
import type { MessagesAnswer } from "./node_messages.ts";
import type { Recovery } from "./recovery.ts";
import type { RepairEffects } from "./repair_effects.ts";

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

  /** Messages up to `number` are missing. Where there are too many holes they are lost. */
  want(channel: HeardChannel, peer: Peer, number: number, now: number): Hole | undefined {
    let hole = this.#holes.get(channel, peer);
    if (hole === undefined) {
      if (this.#holes.full) {
        channel.passed(peer, number);
        this.#effects.lost(channel, 1);
        return undefined;
      }
      const first = channel.last(peer) === undefined;
      const counts = { after: channel.floor(peer), bytes: 0, waited: 0 };
      hole = { channel, peer, want: number, first, held: new Map(), asked: new Asked(), ...counts };
      if (this.#holes.open(hole)) this.#ask(hole, now);
    }
    hole.want = Math.max(hole.want, number);
    return hole;
  }

  /** Messages before this one are missing. */
  hold(channel: HeardChannel, peer: Peer, message: Held, now: number): void {
    const hole = this.want(channel, peer, message.number, now);
    if (hole === undefined) this.#effects.deliver(channel, message.payload);
    else this.#holes.hold(hole, message);
  }

  /** The sender has repeated its messages, or the first of them. */
  answered(hole: Hole, answer: MessagesAnswer, now: number): void {
    const { channel, peer } = hole;
    const askedAt = hole.asked.answered(answer.id, now);
    if (askedAt === undefined || hole.after !== answer.after) return;
    const { deliver, lost, last, rest } = joined(hole, answer, askedAt, now);
    this.#holes.pass(hole, last, rest);
    for (const payload of deliver) this.#effects.deliver(channel, payload);
    if (lost > 0) this.#effects.lost(channel, lost);
    if (hole.want > last) return this.#ask(hole, now);
    const next = this.#holes.close(hole);
    channel.passed(peer, last);
    if (next !== undefined) this.#ask(next, now);
    this.#recovery.end(hole);
  }

  /** Delivers what is held, and reports what is missing. */
  giveUp(hole: Hole): void {
    const { channel, peer } = hole;
    this.#holes.close(hole);
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
      this.#holes.close(hole);
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
      if (now - (hole.asked.lastAt ?? -Infinity) < REPEAT_INTERVAL) continue;
      if (hole.waited >= this.#timeout) this.giveUp(hole);
      else this.#ask(hole, now);
    }
  }

  #ask(hole: Hole, now: number): void {
    if (!this.#effects.open) return;
    const { channel, peer, after } = hole;
    const id = ++this.#ids;
    hole.asked.add(id, now);
    hole.waited += REPEAT_INTERVAL;
    const age = hole.first ? now - channel.requestedAt + SLACK : undefined;
    this.#effects.ask(peer.name, { kind: "askMessages", id, channel: channel.name, after, age });
  }
}
