import { Asked, type QuestionIds, SLACK } from "./asked.ts";
import type { HeardChannel, Peer } from "./heard_channel.ts";
import { follows, type Held, type Hole, Holes, REPEAT_INTERVAL } from "./holes.ts";
import { joined } from "./joined_messages.ts";
import type { MessagesAnswer } from "./node_messages.ts";
import type { Recovery } from "./recovery.ts";
import type { RepairEffects } from "./repair_effects.ts";

/** How many held messages of a channel are delivered in one turn. */
const MESSAGES_A_TURN = 256;

/** The limits of repairs. */
export interface RepairLimits {
  /** How long a hole may last, in milliseconds. */
  readonly timeout: number;
  /** How much may be held. */
  readonly maximumBytes: number;
}

/** Asks for what is missing on a channel, and delivers what comes and what was held. */
export class HoleRepairs {
  readonly ids: QuestionIds;
  readonly #effects: RepairEffects;
  readonly #timeout: number;
  readonly #holes: Holes;
  readonly #recovery: Recovery;

  constructor(
    effects: RepairEffects,
    recovery: Recovery,
    limits: RepairLimits,
    ids: QuestionIds,
  ) {
    this.#effects = effects;
    this.ids = ids;
    this.#recovery = recovery;
    this.#timeout = limits.timeout;
    this.#holes = new Holes(limits.maximumBytes);
  }

  /** Whether there is none. */
  get none(): boolean {
    return this.#holes.none;
  }

  /** Whether there are so many that nobody looks for others. */
  get crowded(): boolean {
    return this.#holes.crowded;
  }

  /** The hole of a sender on a channel, if there is one. */
  get(channel: HeardChannel, peer: Peer): Hole | undefined {
    return this.#holes.get(channel, peer);
  }

  /** Messages up to `number` are missing. Where there are too many holes they are lost. */
  want(channel: HeardChannel, peer: Peer, number: number, now: number): Hole | undefined {
    if (this.#holes.full && this.#holes.get(channel, peer) === undefined) {
      channel.passed(peer, number);
      this.#effects.lost(channel, 1);
      return undefined;
    }
    return this.#hole(channel, peer, number, now);
  }

  /** Messages before this one are missing. */
  hold(channel: HeardChannel, peer: Peer, message: Held, now: number): void {
    const hole = this.want(channel, peer, message.number, now);
    if (hole === undefined) this.#effects.deliver(channel, message.payload);
    else this.#holes.hold(hole, message);
  }

  /**
   * The sender has repeated its messages, or the first of them. Returns whether it has not given all of
   * the numbers that were heard as its own.
   */
  answered(hole: Hole, answer: MessagesAnswer, now: number): boolean {
    const { channel } = hole;
    const question = hole.asked.answered(answer.id, now);
    if (question === undefined || hole.after !== answer.after) return false;
    const refuted = answer.number < question.want;
    const dropped = refuted ? this.#holes.refute(hole, answer.number, question.want) : 0;
    const { deliver, lost, last } = joined(hole, answer, question.at, now);
    if (last > hole.after) {
      hole.after = last;
      hole.waited = 0;
      hole.asked.clear();
    }
    for (const payload of deliver) this.#effects.deliver(channel, payload);
    if (lost + dropped > 0) this.#effects.lost(channel, lost + dropped);
    this.#leave(hole, now);
    return refuted;
  }

  /** Asks for nothing any more: what is held is delivered, and what is missing is reported. */
  giveUp(hole: Hole, now: number): void {
    hole.givenUp = true;
    if (!hole.leaving) this.#leave(hole, now);
  }

  /** Nobody listens to a channel any more. */
  closed(channel: HeardChannel): void {
    for (const hole of this.#holes.of(channel)) {
      this.#holes.close(hole);
      this.#recovery.end(hole);
    }
  }

  /** A sender is there no more. */
  ended(peer: Peer, now: number): void {
    for (const hole of [...this.#holes]) if (hole.peer === peer) this.giveUp(hole, now);
  }

  /** Repeats questions, and gives up what takes too long. */
  tick(now: number): void {
    for (const hole of this.#holes.asking) {
      if (hole.leaving || now - (hole.asked.lastAt ?? -Infinity) < REPEAT_INTERVAL) continue;
      if (hole.waited < this.#timeout) this.#ask(hole, now);
      else this.giveUp(hole, now);
    }
  }

  /** The hole of a sender on a channel: a new one, if there is none. */
  #hole(channel: HeardChannel, peer: Peer, number: number, now: number): Hole {
    let hole = this.#holes.get(channel, peer);
    if (hole === undefined) {
      const first = channel.last(peer) === undefined;
      const state = { disordered: false, givenUp: false, leaving: false };
      const numbers = { after: channel.floor(peer), want: number, highest: 0, askedAfter: -1 };
      const about = { channel, peer, first, held: new Map(), asked: new Asked() };
      hole = { ...about, ...state, ...numbers, bytes: 0, waited: 0 };
      if (this.#holes.open(hole)) this.#ask(hole, now);
    }
    hole.want = Math.max(hole.want, number);
    return hole;
  }

  /** Delivers what is held and follows, some messages in a turn; then asks for what is missing still. */
  #leave(hole: Hole, now: number): void {
    hole.leaving = false;
    if (!this.#holes.has(hole)) return;
    const { channel } = hole;
    let left = MESSAGES_A_TURN;
    let lost = 0;
    for (const message of this.#holes.inOrder(hole)) {
      if (left-- === 0) {
        hole.leaving = true;
        break;
      }
      if (message.number > hole.after) {
        if (!follows(message.number, message.back, hole.after)) {
          if (!hole.givenUp) break;
          lost++;
        }
        hole.after = message.number;
        this.#effects.deliver(channel, message.payload);
      }
      this.#holes.release(hole, message);
    }
    if (lost > 0) this.#effects.lost(channel, lost);
    if (hole.leaving) this.#effects.soon((now) => this.#leave(hole, now));
    else if (hole.want <= hole.after) this.#close(hole, now);
    else if (!hole.givenUp) {
      // An answer that has brought nothing is asked for again a while later.
      if (hole.after > hole.askedAfter) this.#ask(hole, now);
    } else {
      this.#effects.lost(channel, 1);
      hole.after = hole.want;
      this.#close(hole, now);
    }
  }

  #close(hole: Hole, now: number): void {
    const next = this.#holes.close(hole);
    hole.channel.passed(hole.peer, hole.after);
    if (next !== undefined) this.#ask(next, now);
    this.#recovery.end(hole);
  }

  #ask(hole: Hole, now: number): void {
    if (!this.#effects.open) return;
    const { channel, peer, after } = hole;
    const id = this.ids.next();
    hole.asked.add(id, now, hole.want);
    hole.askedAfter = after;
    const age = hole.first ? now - channel.requestedAt + SLACK : undefined;
    const question = { kind: "askMessages", id, channel: channel.name, after, age } as const;
    // A sender that was not asked is not late, and one that gives no signs may be away, as this node was.
    if (!this.#effects.ask(peer.name, question)) return;
    hole.waited += this.#effects.hears(peer.name) ? REPEAT_INTERVAL : REPEAT_INTERVAL / 2;
  }
}
