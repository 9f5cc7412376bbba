/** Moments that no change of the system's clock moves, and the times that people are told. */
import type { BackplaneGap } from "../backplane.ts";

/** A moment on both clocks of this node, in milliseconds. */
export interface Moment {
  /** On the clock that never jumps. Durations and orders come from this clock alone. */
  readonly steady: number;
  /** On the clock that people read, since the epoch. It can be set back and forward. */
  readonly epoch: number;
}

/** Returns this moment. */
export function now(): Moment {
  return { steady: performance.now(), epoch: Date.now() };
}

/**
 * Returns the gap from `since` until now, for people. If the system's clock was set back or forward
 * in between, the gap begins at the earlier of the two times that `since` then has.
 */
export function gapSince({ steady, epoch }: Moment): BackplaneGap {
  // A pause between the two clocks makes the gap longer, and not shorter.
  const date = Date.now();
  const elapsed = performance.now() - steady;
  // `Date.now()` has whole milliseconds, rounded down.
  return { since: Math.min(epoch, Math.floor(date - elapsed)), until: Date.now() };
}

/** Returns the gap that covers both, where there are two. */
export function joinGaps(one?: BackplaneGap, other?: BackplaneGap): BackplaneGap | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { since: Math.min(one.since, other.since), until: Math.max(one.until, other.until) };
}
