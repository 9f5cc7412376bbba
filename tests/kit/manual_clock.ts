import type { Clock } from "../../hub/clock.ts";

interface Timer {
  due: number;
  readonly interval: number | undefined;
  readonly callback: () => void;
}

/** A clock that stands still until it is told how much time passes. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  date(): number {
    return Date.UTC(2025, 0) + this.#now;
  }

  after(delay: number, callback: () => void): Disposable {
    return this.#add({ due: this.#now + delay, interval: undefined, callback });
  }

  every(interval: number, callback: () => void): Disposable {
    return this.#add({ due: this.#now + interval, interval, callback });
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass; what is due on the way is called in its order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.due);
      if (timer.interval === undefined) this.#timers.delete(timer);
      else timer.due = this.#now + timer.interval;
      timer.callback();
    }
    this.#now = end;
  }

  /** Lets time pass while the process stands still; what is due is called afterwards. */
  stop(milliseconds: number): void {
    this.pass(milliseconds);
    this.advance(0);
  }

  /** Lets time pass within one turn: nothing is called. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }
}
