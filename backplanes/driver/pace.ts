import { setImmediate } from "node:timers";

/** A bus that has answered sooner than this, in milliseconds, is near enough to wait for. */
const NEAR = 1;

/**
 * Says when to write what waits to be sent, so that much of it leaves as one write: the system call is
 * what sending costs, here, on the bus and to the clients of other nodes, which are sent what comes
 * together as one message.
 *
 * That is at the end of the turn; while an answer of a bus that is near is awaited, when it is there
 * (Nagle's algorithm): a bus far away must not delay messages by its distance.
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

  /** Something waits. */
  wait(): void {
    if (this.#turn || (this.#unanswered > 0 && this.#distance <= NEAR)) return;
    this.#turn = true;
    setImmediate(this.#turnEnded);
  }

  /** What waited was written: the bus will give so many answers. */
  written(answers: number): void {
    if (this.#unanswered === 0) this.#writtenAt = performance.now();
    this.#unanswered += answers;
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
