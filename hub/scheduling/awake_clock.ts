import type { Clock } from "../clock.ts";

/**
 * The time during which this node could work. A node that was stopped, moved to another machine, or busy
 * with one long piece of work has not read what its peers sent meanwhile: their silence is not theirs.
 * So this clock stands still while the node does, and every deadline moves by as much.
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
    const look = () => {
      const left = due - this.now();
      if (left > 0) wait(left);
      else callback();
    };
    wait(delay);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  every(interval: number, callback: () => void): Disposable {
    return this.#clock.every(interval, callback);
  }
}
