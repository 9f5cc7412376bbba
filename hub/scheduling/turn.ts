import { setImmediate } from "node:timers";

/** Something that waits for the end of the turn. */
export interface TurnListener {
  /** The turn in which it asked has ended. */
  turnEnded(): void;
}

/** How many writes a turn makes before its end. */
const MAXIMUM_SENT_AT_ONCE = 16;

let turn = 1;
let counting = false;
let sentAtOnce = 0;
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

/**
 * Counts a write that is not to wait for the end of the turn, and says whether it may: after so many
 * there is more to gain from reading on, because what comes then can join what waits.
 */
export function mayLeaveAtOnce(): boolean {
  currentTurn();
  return sentAtOnce++ < MAXIMUM_SENT_AT_ONCE;
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
  sentAtOnce = 0;
  counting = false;
  for (const listener of ended) listener.turnEnded();
  const carriers = carrying;
  carrying = [];
  for (const carrier of carriers) carrier.turnEnded();
}
