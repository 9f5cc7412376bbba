import type { Clock } from "../../hub/clock.ts";

interface Timer {
  at: number;
  readonly interval: number | undefined;
  readonly callback: () => void;
}

/** A clock that only a test moves. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delay: number, callback: () => void): Disposable {
    return this.#add({ at: this.#now + delay, interval: undefined, callback });
  }

  every(interval: number, callback: () => void): Disposable {
    return this.#add({ at: this.#now + interval, interval, callback });
  }

  /** Lets `duration` milliseconds pass, calling what is due in the order of time. */
  advance(duration: number): void {
    const end = this.#now + duration;
    while (true) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#now = next.at;
      if (next.interval === undefined) this.#timers.delete(next);
      else next.at += next.interval;
      next.callback();
    }
    this.#now = end;
  }

  /** How many timers run. */
  get pending(): number {
    return this.#timers.size;
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }
}
