import { setImmediate } from "node:timers";

/** Resolves at the end of the turn, when queued messages for clients have been written. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
