import { setImmediate } from "node:timers";

/** A bus that has answered sooner than this, in milliseconds, is near enough to wait for. */
const NEAR = 1;

/**
 * Says when to write what waits to be sent, so that much of it leaves as one write: the system call is
 * what sending costs, here and on the bus.
 *
 * Adaptive: while no answer is awaited nothing has to wait. What comes meanwhile is written when the
 * answers are there (Nagle's algorithm), or, so that a bus far away does not delay messages by its
 * distance, at the end of the turn.
 */
export class Pace {
  readonly #write: () => void;
  /** How much was written that the bus has not answered. */
  #unanswered = 0;
  /** When the first of it was written. */
  #writtenAt = 0;
  /** The least that answers have taken so far: what the distance is. */
  #distance = Infinity;
  #turn = false;

  /** `write` is called when what waits should not wait any longer; there may be nothing. */
  constructor(write: () => void) {
    this.#write = write;
  }

  /** Whether no answer is awaited: what is to be sent is to be written at once. */
  get idle(): boolean {
    return this.#unanswered === 0;
  }

  /** Something waits, because it is not {@link idle}. */
  wait(): void {
    if (this.#turn || this.#distance <= NEAR) return;
    this.#turn = true;
    setImmediate(this.#turnEnded);
  }

  /** So many things were written that the bus will answer. */
  written(count: number): void {
    if (this.#unanswered === 0) this.#writtenAt = performance.now();
    this.#unanswered += count;
  }

  /** One of them is answered, or never will be. */
  answered(): void {
    if (--this.#unanswered > 0) return;
    this.#distance = Math.min(this.#distance, performance.now() - this.#writtenAt);
    this.#write();
  }

  readonly #turnEnded = (): void => {
    this.#turn = false;
    this.#write();
  };
}
