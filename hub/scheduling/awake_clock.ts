import type { Clock } from "../clock.ts";

/** How late a callback is, in milliseconds, when the node seems to have stood still. */
const LATE = 100;

/**
 * The time during which this node could work. A node that was stopped, moved to another machine, or busy
 * with one long piece of work has not read what its peers sent meanwhile: their silence is not theirs.
 * So this clock stands still while the node does, and every deadline moves by as much.
 *
 * A node that goes on reads its sockets before it judges anybody: a callback that comes
 * late waits once, {@link every} for its next interval and {@link after} for a moment.
 *
 * The heartbeat, which {@link every} makes, tells how long the node stood still: between two beats no more
 * time passes than the interval.
 */
export class AwakeClock implements Clock {
  readonly #clock: Clock;
  readonly #interval: number;
  /** The time of the last beat; `undefined` while there is no heartbeat. */
  #beaten: number | undefined;
  #asleep = 0;

  /** `interval` is in milliseconds. */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
  }

  now(): number {
    const now = this.#clock.now();
    return Math.min(now, (this.#beaten ?? now) + this.#interval) - this.#asleep;
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

  /** As {@link Clock.every}; the interval is that of the heartbeat. */
  every(interval: number, callback: () => void): Disposable {
    let skipped = false;
    this.#beaten = this.#clock.now();
    const timer = this.#clock.every(interval, () => {
      const late = this.#beat();
      // Never twice in a row: a node that is always late has to work as well.
      skipped = late > LATE && !skipped;
      if (!skipped) callback();
    });
    return {
      [Symbol.dispose]: () => {
        timer[Symbol.dispose]();
        this.#beaten = undefined;
      },
    };
  }

  /** The node works; returns how late it does. */
  #beat(): number {
    const now = this.#clock.now();
    const late = Math.max(0, now - (this.#beaten ?? now) - this.#interval);
    this.#asleep += late;
    this.#beaten = now;
    return late;
  }
}
