import type { ChannelNumber, HubSign } from "./node_messages.ts";
import { type Index, indexOf, type Repetition, repetitionOf } from "./repetition.ts";
import { Ring } from "./ring.ts";
import { type Listed, type Sent, Untold } from "./untold.ts";

/** A sign lists a channel that was quiet for so long, or is listed nowhere for so long; in milliseconds. */
const QUIET = 200;
const OVERDUE = 1000;
/** How many channels a sign lists at most. */
const MAXIMUM_TAILS = 500;
/** How many bytes an answer has at most, unless it is one message. */
const ANSWER_BYTES = 64 * 1024;

/** How many tails a sign has room for, and how many characters their channels may have in all. */
export interface SignRoom {
  readonly tails: number;
  readonly characters: number;
  /** Whether no sign follows, so that everything is due. */
  readonly last?: boolean;
}

/** A message that was handed over and not answered. */
interface Unanswered {
  readonly channel: string;
  readonly number: number;
  readonly settle: () => void;
}

/**
 * Numbers what this node publishes for one hub, keeps it for those who miss something, and says in signs
 * which number each channel has reached. Pure: `now` is a time in milliseconds.
 *
 * - **Number**: one more for every message of the hub.
 * - **Back**: how far back the message before it on the same channel is; 0 if there was none. A channel
 *   is forgotten when the ring knows no message of it and a sign has listed it. Then `back` is below
 *   zero: nothing was published on the channel after `number + back`.
 */
export class Numbering {
  readonly #ring: Ring;
  readonly #channels = new Map<string, Sent>();
  readonly #untold = new Untold();
  readonly #listed = new Map<HubSign, readonly Listed[]>();
  #unanswered: Unanswered[] = [];
  #number = 0;
  /** The highest number of a channel that is forgotten. */
  #forgotten = 0;
  /** Up to this number the signs have told everything. */
  #told = 0;
  /** Whether channels were taken for told that no sign has listed: others have to ask for an index. */
  #skipped = false;
  #overflows = false;
  /** The channel of the message that was numbered last; `undefined` if that is not kept. */
  #latest: Sent | undefined;

  readonly #answerBytes: number;

  /** `maximumBytes` bounds the payloads that are kept, and `answerBytes` an answer of several messages. */
  constructor(maximumBytes: number, answerBytes: number = ANSWER_BYTES) {
    this.#answerBytes = answerBytes;
    this.#ring = new Ring(maximumBytes, (channel) => this.#forgetIfDone(channel as Sent));
  }

  /** The number of the last message. */
  get number(): number {
    return this.#number;
  }

  /** Whether the ring knows every message after a number. */
  knowsAfter(number: number): boolean {
    return number >= this.#ring.from - 1;
  }

  /** Numbers a message that is handed over now, and returns its `back`. {@link keep} follows. */
  next(name: string, now: number): number {
    const number = ++this.#number;
    // A whole number takes no memory of its own.
    const at = Math.floor(now);
    const channel = this.#channels.get(name);
    if (channel !== undefined) {
      const back = number - channel.last;
      channel.last = number;
      channel.at = at;
      this.#latest = channel;
      if (channel.untold === 0) this.#begin(channel, number, at);
      return back;
    }
    const fresh = { name, last: number, untold: 0, since: at, at, urgent: false };
    this.#channels.set(name, fresh);
    this.#latest = fresh;
    this.#begin(fresh, number, at);
    return this.#forgotten === 0 ? 0 : this.#forgotten - number;
  }

  /** Keeps the payload of the message that was numbered last, unless there was no other node. */
  keep(back: number, payload: Uint8Array, now: number): void {
    if (this.#latest !== undefined) this.#ring.add(this.#latest, back, payload, now);
  }

  /** Numbers a message while there is no other node: nothing is kept. Returns its `back`. */
  nextAlone(now: number): number {
    if (this.#channels.size > 0) this.#channels.clear();
    this.#untold.clear();
    this.#skipped = true;
    this.#latest = undefined;
    const before = this.#number++;
    this.#forgotten = this.#told = before + 1;
    this.#ring.clear(before + 2, now);
    return before === 0 ? 0 : -1;
  }

  /** The bus has refused a message, so that nobody has it and nobody should. */
  refused(number: number): void {
    this.#ring.refuse(number);
  }

  /**
   * The bus has not answered a message; `settle` is called when a sign that lists it was accepted. Returns
   * whether a sign will list it: not if no other node was there, or the message is forgotten.
   */
  unanswered(name: string, number: number, settle: () => void): boolean {
    const channel = this.#channels.get(name);
    if (channel === undefined) return false;
    this.#unanswered.push({ channel: name, number, settle });
    channel.urgent = true;
    if (channel.untold === 0) this.#begin(channel, number, 0);
    return true;
  }

  /** Whether the last sign had no room for all that was due. */
  get overflows(): boolean {
    return this.#overflows;
  }

  /** What the next sign says, which has room for so many tails. */
  sign(hub: string, room: SignRoom, now: number): HubSign {
    this.#ring.trim(now);
    const most = Math.min(room.tails, MAXIMUM_TAILS);
    let characters = room.characters;
    const listed: Listed[] = [];
    const tails: ChannelNumber[] = [];
    this.#overflows = false;
    const { told = this.#number, atAll } = this.#untold.look((channel) => {
      const due = room.last || channel.urgent || now - channel.at >= QUIET ||
        now - channel.since >= OVERDUE;
      characters -= due ? channel.name.length : 0;
      const fits = tails.length < most && characters >= 0;
      if (due && !fits) this.#overflows = true;
      if (!due || !fits) return false;
      tails.push([channel.name, channel.last]);
      listed.push({ channel, untold: channel.untold });
      return true;
    });
    // Those that were not looked at may be due as well.
    this.#overflows ||= !atAll && tails.length >= most;
    for (const { channel } of listed) this.#tell(channel);
    this.#told = Math.max(this.#told, told);
    const sign = { hub, number: this.#number, told: this.#skipped ? 0 : this.#told, tails };
    this.#skipped = false;
    this.#listed.set(sign, listed);
    return sign;
  }

  /** The bus has answered a sign, or has not: then it has told nothing. */
  signed(sign: HubSign, accepted: boolean): void {
    const listed = this.#listed.get(sign) ?? [];
    this.#listed.delete(sign);
    if (!accepted) return this.#untell(listed);
    if (this.#unanswered.length === 0) return;
    const told = new Map(sign.tails);
    const open: Unanswered[] = [];
    const settled: Unanswered[] = [];
    for (const message of this.#unanswered) {
      (message.number <= (told.get(message.channel) ?? 0) ? settled : open).push(message);
    }
    this.#unanswered = open;
    for (const { settle } of settled) settle();
  }

  /** Which channels have had messages after a number, and not longer than `age` ago. */
  index(after: number, age: number | undefined, now: number): Index {
    return indexOf(this.#ring, this.#number, { after, age, now, bytes: this.#answerBytes });
  }

  /** What was published on a channel after a number, and not longer than `age` ago. */
  repeat(name: string, after: number, age: number | undefined, now: number): Repetition {
    const wanted = { after, age, now, bytes: this.#answerBytes };
    const numbers = { number: this.#number, forgotten: this.#forgotten };
    return repetitionOf(this.#ring, numbers, this.#channels.get(name), wanted);
  }

  #begin(channel: Sent, number: number, at: number): void {
    channel.untold = number;
    channel.since = at;
    this.#untold.add(channel, number === this.#number);
    const { surplus } = this.#untold;
    if (surplus === undefined) return;
    this.#tell(surplus);
    this.#skipped = true;
  }

  #tell(channel: Sent): void {
    channel.untold = 0;
    channel.urgent = false;
    this.#untold.delete(channel);
    this.#forgetIfDone(channel);
  }

  #untell(listed: readonly Listed[]): void {
    const channels = listed.map(({ channel, untold }) => {
      // A channel that was forgotten meanwhile is known again, so that its next message finds it.
      const known = this.#channels.get(channel.name) ?? channel;
      this.#channels.set(channel.name, known);
      known.untold = untold;
      known.urgent = true;
      return known;
    });
    this.#untold.restore(channels);
  }

  /** Forgets a channel whose messages the ring knows no more, and which signs have listed. */
  #forgetIfDone(channel: Sent): void {
    if (channel.untold !== 0 || channel.last >= this.#ring.from) return;
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    this.#forgotten = Math.max(this.#forgotten, channel.last);
  }
}
