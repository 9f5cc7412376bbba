import { setImmediate } from "node:timers";

/** Something that waits for the end of the turn. */
export interface TurnListener {
  /** The turn in which it asked has ended, and turn number `next` begins. */
  turnEnded(next: number): void;
}

let turn = 1;
let counting = false;
let waiting: TurnListener[] = [];
let carrying: TurnListener[] = [];

/**
 * The number of this turn: of everything that the event loop has at hand. Numbers of turns in which
 * nobody asked are not given out.
 */
export function currentTurn(): number {
  if (!counting) {
    counting = true;
    setImmediate(endTurn);
  }
  return turn;
}

/** Calls `listener.turnEnded()` at the end of this turn. All share one callback, so asking costs a push. */
export function atEndOfTurn(listener: TurnListener): void {
  currentTurn();
  waiting.push(listener);
}

/** As {@link atEndOfTurn}, behind all of those: for what carries away what they write. */
export function afterTurn(listener: TurnListener): void {
  currentTurn();
  carrying.push(listener);
}

function endTurn(): void {
  const ended = waiting;
  waiting = [];
  turn++;
  // One more than is needed tells who was busy that a turn has passed without it.
  if (ended.length > 0) setImmediate(endTurn);
  else counting = false;
  for (const listener of ended) listener.turnEnded(turn);
  const carriers = carrying;
  carrying = [];
  for (const carrier of carriers) carrier.turnEnded(turn);
}
