import { TurnEnd } from "./turn_end.ts";

/** How many outcomes are told at a time: what follows from one may take a tenth of a millisecond. */
const MAXIMUM = 64;

/** Something whose outcome is known. */
export interface Settleable {
  /** Tells the outcome to whoever waits for it. */
  settle(): void;
}

/**
 * Tells outcomes in their order, a bounded number in a turn of the event loop. One packet of a bus may
 * answer thousands of messages; what follows from all of them would run before anything else is heard.
 */
export class Settlements {
  readonly #turnEnd = new TurnEnd(() => this.#goOn());
  /** Those before `#next` were told. */
  #waiting: Settleable[] = [];
  #next = 0;
  /** How many were told since the last microtasks. */
  #told = 0;
  readonly #forget = (): void => {
    this.#told = 0;
  };

  /** The outcome of `item` is known: it is told now, or in one of the next turns. */
  add(item: Settleable): void {
    if (this.#waiting.length === 0 && this.#told < MAXIMUM) {
      // A packet is read to its end before the first microtask.
      if (this.#told++ === 0) queueMicrotask(this.#forget);
      return item.settle();
    }
    this.#waiting.push(item);
    this.#turnEnd.schedule();
  }

  #goOn(): void {
    const end = Math.min(this.#next + MAXIMUM, this.#waiting.length);
    while (this.#next < end) this.#waiting[this.#next++]?.settle();
    if (this.#next < this.#waiting.length) return this.#turnEnd.schedule();
    this.#waiting = [];
    this.#next = 0;
  }
}
