import type { BackplaneGap } from "../backplane.ts";
import { now } from "../driver/moment.ts";
import type { Interval } from "./common_gaps.ts";

/** The interval of a gap that a driver reports now. It may begin too early, and never too late. */
export function intervalOf({ since, until }: BackplaneGap): Interval {
  const { steady, epoch } = now();
  // The date may have been set back since the driver has reckoned. Dates have whole milliseconds.
  const age = Math.max(epoch, until) - since + 1;
  return { from: steady - age, to: steady };
}

/** The gap of an interval, as people are told now. */
export function gapOf({ from, to }: Interval): BackplaneGap {
  const { steady, epoch } = now();
  const since = Math.floor(epoch - (steady - from));
  return { since, until: Math.min(epoch, Math.ceil(epoch - (steady - to))) };
}
