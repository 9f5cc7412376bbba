import type { Clock } from "../clock.ts";

/** How late a callback is, in milliseconds, when the node seems to have stood still. */
const LATE = 100;

/**
 * The time during which this node could work. A node that was stopped, moved to another machine, or busy
 * with one long piece of work has not read what its peers sent meanwhile: their silence is not theirs.
 * So this clock stands still while the node does, and every deadline moves by as much.
 *
 * What the sockets of a node hold when it goes on is read before anybody is judged: a callback that comes
 * late waits once, {@link every} for its next interval and {@link after} for a moment.
 *
 * The clock must be looked at every `interval`, by the heartbeat: a look that comes later tells for how
 * long the node stood still.
 */
export class AwakeClock implements Clock {
  readonly #clock: Clock;
  readonly #interval: number;
  #looked: number;
  #asleep = 0;

  /** `interval` is in milliseconds. */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
    this.#looked = clock.now();
  }

  now(): number {
    const now = this.#clock.now();
    const late = now - this.#looked - this.#interval;
    if (late > 0) this.#asleep += late;
    this.#looked = now;
    return now - this.#asleep;
  }

  date(): number {
    return this.#clock.date();
  }

  after(delay: number, callback: () => void): Disposable {
    const due = this.now() + delay;
    let timer: Disposable;
    const wait = (left: number) => timer = this.#clock.after(left, look);
    let rings = this.#clock.now() + delay;
    let patient = false;
    const look = () => {
      const late = this.#clock.now() - rings > LATE && !patient;
      if (late) patient = true;
      const left = Math.max(due - this.now(), late ? LATE : 0);
      if (left <= 0) return callback();
      rings = this.#clock.now() + left;
      wait(left);
    };
    wait(delay);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  every(interval: number, callback: () => void): Disposable {
    let asleep = this.#asleep;
    let skipped = false;
    return this.#clock.every(interval, () => {
      this.now();
      // Never twice in a row: a node that is always late has to work as well.
      skipped = this.#asleep - asleep > LATE && !skipped;
      asleep = this.#asleep;
      if (!skipped) callback();
    });
  }
}
