/**
 * Times that threads tell each other. Each thread keeps its own times on its steady clock
 * (`performance.now()`), which begins anew in each thread. So a time travels as a date, which all
 * threads share, and becomes a steady time again where it arrives. A change of the date, at any time but
 * while a packet is on its way, moves no time.
 *
 * @module
 */
import type { BackplaneGap } from "../backplane.ts";

/** How much a time may change on its way, in milliseconds: dates are whole milliseconds. */
export const TIME_ERROR = 1;

/** The date of a steady time, in epoch milliseconds of now. */
export function toDate(steady: number): number {
  return Date.now() - (performance.now() - steady);
}

/** The steady time of a date that another thread has just told; never in the future. */
export function toSteady(date: number): number {
  return performance.now() - Math.max(0, Date.now() - date);
}

/** A gap between two steady times, as dates. It covers all that was published in between. */
export function datesOf(gap: BackplaneGap): BackplaneGap {
  const since = Math.floor(toDate(gap.since)) - TIME_ERROR;
  const until = Math.min(Math.ceil(toDate(gap.until)) + 2 * TIME_ERROR, Date.now());
  return { since: Math.min(since, until), until };
}
