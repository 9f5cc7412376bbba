/**
 * Stands in for `jsr:@std/async` where JSR cannot be reached: the same functions, from npm's
 * copy of the Deno standard library, with the types the tests need.
 *
 * @module
 */
import * as delaying from "npm:deno-std@1.4.0/async/delay.js";
import * as deadlines from "npm:deno-std@1.4.0/async/deadline.js";

/** Options of {@link delay}. */
export interface DelayOptions {
  /** Ends the delay early; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Whether the pending delay keeps the process alive. */
  persistent?: boolean;
}

/** Options of {@link deadline}. */
export interface DeadlineOptions {
  /** Rejects early with the signal's reason. */
  signal?: AbortSignal;
}

export const delay: (ms: number, options?: DelayOptions) => Promise<void> = delaying.delay;
export const deadline: <T>(
  promise: Promise<T>,
  ms: number,
  options?: DeadlineOptions,
) => Promise<T> = deadlines.deadline;
