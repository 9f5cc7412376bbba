import type { Backplane } from "../backplane.ts";
import { bytes, check, pause, same } from "./assert.ts";
import type { History, Inbox, Trial } from "./trial.ts";

/** One message, and how its publish ended. */
interface Entry {
  readonly text: string;
  readonly called: number;
  settled: number;
  accepted: boolean;
}

/**
 * Publishes all the time and records every message, to find one that was lost in silence: not
 * delivered, not rejected, and in no gap that either side reported.
 */
export class Ledger implements AsyncDisposable {
  readonly #sender: Backplane;
  readonly #receiver: Backplane;
  readonly #inbox: Inbox;
  readonly #histories: readonly History[];
  readonly #entries: Entry[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #publishing: Promise<void> | undefined;
  #ended = false;

  /** Records the messages that `sender` publishes and `receiver` hears. */
  constructor(trial: Trial, sender: Backplane, receiver: Backplane) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#inbox = trial.inbox();
    this.#histories = [trial.history(sender), trial.history(receiver)];
  }

  /** Subscribes, and publishes every 5 ms until {@link audit} or until it is disposed. */
  async start(): Promise<void> {
    await this.#receiver.subscribe("ledger", this.#inbox.handler).confirmed;
    this.#publishing = this.#publish();
    await this.#inbox.counted(20);
  }

  async #publish(): Promise<void> {
    while (!this.#ended) {
      const called = Date.now();
      const entry: Entry = { text: `${this.#entries.length}`, called, settled: 0, accepted: false };
      this.#entries.push(entry);
      const settle = (accepted: boolean) => {
        entry.accepted = accepted;
        entry.settled = Date.now();
      };
      const outcome = this.#sender.publish("ledger", bytes(entry.text))
        .then(() => settle(true), () => settle(false));
      this.#underWay.add(outcome);
      outcome.finally(() => this.#underWay.delete(outcome));
      await pause(5);
    }
  }

  /** Ends publishing, without waiting for publishes: a driver may never settle them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#publishing;
  }

  /** Ends publishing and checks every message; both sides must be `open` again. */
  async audit(): Promise<void> {
    // More messages must arrive first, so that the time after the outage is checked too.
    await this.#inbox.counted(this.#inbox.texts.length + 20);
    await this[Symbol.asyncDispose]();
    await Promise.all(this.#underWay);
    await this.#sender.publish("ledger", bytes("marker"));
    await this.#inbox.heard("marker");
    const arrived = new Set(this.#inbox.texts);
    same(arrived.size, this.#inbox.texts.length, "messages that arrived once");
    const lost = this.#entries.filter(({ text, called, settled, accepted }) =>
      accepted && !arrived.has(text) &&
      !this.#histories.some((history) => history.covers(called, settled))
    );
    const gaps = this.#histories.flatMap(({ events }) => events.flatMap(({ gap }) => gap ?? []));
    const report = JSON.stringify({ lost: lost.slice(0, 3), gaps });
    check(lost.length === 0, `${lost.length} messages were lost in silence: ${report}`);
  }
}
