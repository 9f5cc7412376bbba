import { clearInterval, setInterval } from "node:timers";

/** Where the hub's time comes from, so that tests can pass it by hand. Milliseconds throughout. */
export interface Clock {
  /** A time that never goes back, in whole milliseconds; only differences mean anything. */
  now(): number;
  /** The date, since 1970; it may be set. */
  date(): number;
  /** Calls `callback` once after `delay`, unless disposed before. */
  after(delay: number, callback: () => void): Disposable;
  /** Calls `callback` every `interval` until disposed; this alone keeps no process alive. */
  every(interval: number, callback: () => void): Disposable;
}

/** The date by a clock that is never set: the date of now and the time that passes from now on. */
export function steadyDate(clock: Pick<Clock, "now" | "date">): () => number {
  const start = clock.date() - clock.now();
  return () => start + clock.now();
}

/** The time of the platform. */
export const systemClock: Clock = {
  // Every connection keeps several of these: whole numbers take no memory of their own.
  now: () => Math.trunc(performance.now()),
  date: () => Date.now(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every: (interval, callback) => {
    const timer = setInterval(callback, interval).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
