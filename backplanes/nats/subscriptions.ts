import { readSubject, subjectOf } from "./subject.ts";

/** A subscription of one connection. */
export interface Subscribed {
  readonly channel: string;
  /** Its number on the connection. */
  readonly sid: number;
  /** Whether the server has answered a PING behind it. A later refusal then ends the connection. */
  confirmed: boolean;
  refusal?: Error;
}

/**
 * The subscriptions of one connection, and the commands that make and end them. NATS's client keeps
 * many promises for each of its own subscriptions, and ends all of them in one turn.
 */
export class Subscriptions {
  readonly #prefix: string;
  readonly #byChannel = new Map<string, Subscribed>();
  readonly #bySid = new Map<number, Subscribed>();
  #lastSid = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The subscription of a channel. */
  get(channel: string): Subscribed | undefined {
    return this.#byChannel.get(channel);
  }

  /** The subscription with a number: the server names it in each message. */
  numbered(sid: number): Subscribed | undefined {
    return this.#bySid.get(sid);
  }

  /** The subscription that a text of the server is about. */
  about(subject: string): Subscribed | undefined {
    return this.#byChannel.get(readSubject(subject).channel);
  }

  /** A number that was not used before. */
  nextSid(): number {
    return ++this.#lastSid;
  }

  /** Adds the subscriptions of those of `channels` that have none; returns the commands. */
  add(channels: readonly string[]): string {
    let commands = "";
    for (const channel of channels) {
      if (this.#byChannel.has(channel)) continue;
      const subscribed = { channel, sid: this.nextSid(), confirmed: false };
      this.#byChannel.set(channel, subscribed);
      this.#bySid.set(subscribed.sid, subscribed);
      commands += `SUB ${subjectOf(this.#prefix, channel)} ${subscribed.sid}\r\n`;
    }
    return commands;
  }

  /** Removes the subscriptions of `channels`; returns the commands. */
  remove(channels: readonly string[]): string {
    let commands = "";
    for (const channel of channels) {
      const subscribed = this.#byChannel.get(channel);
      if (subscribed === undefined) continue;
      this.#byChannel.delete(channel);
      this.#bySid.delete(subscribed.sid);
      commands += `UNSUB ${subscribed.sid}\r\n`;
    }
    return commands;
  }
}
