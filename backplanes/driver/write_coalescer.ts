import { TurnEnd } from "./turn_end.ts";

/** A bus that has answered sooner than this, in milliseconds, is near enough to wait for. */
const NEAR = 1;
/** So many measurements in a row tell that a bus is more distant than before. */
const WINDOW = 32;
/** The answers to more messages than these tell how busy the bus is, and not how distant. */
const FEW = 8;

/**
 * Decides when queued messages are written, so that many of them leave as one write. The system call
 * is the main cost of sending: here, on the bus, and towards the clients of other nodes, where messages
 * that arrive together leave as one.
 *
 * Messages are written at the end of the turn. While a near bus has not answered the last write, they
 * are written when it answers (Nagle's algorithm). A distant bus must not delay messages by its distance.
 */
export class WriteCoalescer {
  readonly #write: () => void;
  readonly #turnEnd: TurnEnd;
  /** How many answers the bus owes. */
  #unanswered = 0;
  /** When the first of the unanswered messages was written, and how many have been since. */
  #writtenAt = 0;
  #written = 0;
  /** The shortest time that answers took in the last whole window, or since: the distance of the bus. */
  #distance = Infinity;
  /** The shortest time in the present window, and the number of its measurements. */
  #shortest = Infinity;
  #measured = 0;

  /** `write` is called when queued messages must not wait any longer; there may be none. */
  constructor(write: () => void) {
    this.#write = write;
    this.#turnEnd = new TurnEnd(write);
  }

  /** A message was queued. */
  queued(): void {
    if (this.#unanswered === 0 || this.#distance > NEAR) this.#turnEnd.schedule();
  }

  /** The queued messages were written; the bus will give so many answers. */
  flushed(answers: number): void {
    if (this.#unanswered === 0) {
      this.#writtenAt = performance.now();
      this.#written = 0;
    }
    this.#unanswered += answers;
    this.#written += answers;
  }

  /** One answer has come, or never will. */
  acknowledged(): void {
    if (--this.#unanswered > 0) return;
    this.#measure(performance.now() - this.#writtenAt);
    this.#write();
  }

  /** A bus can move away, or its way can: then the shortest time of a whole window is longer than before. */
  #measure(duration: number): void {
    this.#distance = Math.min(this.#distance, duration);
    if (this.#written > FEW) return;
    this.#shortest = Math.min(this.#shortest, duration);
    if (++this.#measured < WINDOW) return;
    this.#distance = this.#shortest;
    this.#shortest = Infinity;
    this.#measured = 0;
  }
}
