import type { LimitedLog } from "./limited_log.ts";
import type { Scheduler } from "./scheduler.ts";

/** The parts of a node that {@link visitAll} needs. */
export interface VisitContext {
  readonly scheduler: Pick<Scheduler, "walk">;
  readonly limitedLog: Pick<LimitedLog, "failure">;
}

/**
 * Visits every item in bounded turns, as {@link Scheduler.walk}. A visit that throws is logged, and the
 * items behind it are visited all the same: nobody may wait for the visits, so an error that went further
 * would end the process. Returns nothing if all items were visited in this turn, else a promise.
 */
export function visitAll<T>(
  { scheduler, limitedLog }: VisitContext,
  items: Iterable<T>,
  visit: (item: T) => void,
): Promise<void> | undefined {
  return scheduler.walk(items, (item) => {
    try {
      visit(item);
    } catch (error) {
      limitedLog.failure("Work on many items failed for one of them:", error);
    }
  });
}
