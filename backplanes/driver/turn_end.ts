import { setImmediate } from "node:timers";

/** Calls one function at the end of the turn of the event loop, however often it is asked for. */
export class TurnEnd {
  readonly #run: () => void;
  #scheduled = false;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** Calls the function at the end of this turn. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#ended);
  }

  readonly #ended = (): void => {
    this.#scheduled = false;
    this.#run();
  };
}

/** Resolves at the end of this turn of the event loop. */
export function untilTurnEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
