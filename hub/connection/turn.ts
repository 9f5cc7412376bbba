import { setImmediate } from "node:timers";

/** Something that waits for the end of the turn. */
export interface TurnListener {
  /** The turn in which it asked has ended. */
  turnEnded(): void;
}

let waiting: TurnListener[] = [];

/**
 * Calls `listener.turnEnded()` once everything that the event loop has at hand is done. All that ask
 * in one turn share one callback, so asking costs a push.
 */
export function atEndOfTurn(listener: TurnListener): void {
  if (waiting.push(listener) === 1) setImmediate(endTurn);
}

function endTurn(): void {
  const ended = waiting;
  waiting = [];
  for (const listener of ended) listener.turnEnded();
}
