import { clearTimeout, setTimeout } from "node:timers";
import type { Clock } from "../clock.ts";

/**
 * After how many milliseconds of turns that had more work than time the event loop sleeps: where some of the work
 * has no end, and where it is that of ordinary clients.
 */
const BUSY_TIME = 10;
const LONGEST_BUSY_TIME = 25;

/** How often a rest begins anew at the most. */
const MAXIMUM_SLEEPS = 5;

/** The shortest sleep that a timer can give. */
function sleepBriefly(wake: () => void): () => void {
  const timer = setTimeout(wake, 1);
  return () => clearTimeout(timer);
}

/**
 * Lets the event loop sleep now and then while there is work without an end. As long as callbacks are due,
 * Deno asks the system for new events only once in 61 turns: if each turn works for 5 ms, nobody else is
 * heard for 300 ms. A loop that waits for a timer asks at once. Node and Bun ask in every turn; there a
 * rest only costs its millisecond.
 *
 * A node that is busy with many ordinary clients rests less often than one with work that waits for another
 * turn, or with clients that send more than turns have time for.
 */
export class Rests {
  readonly #clock: Pick<Clock, "now">;
  readonly #sleep: (wake: () => void) => () => void;
  /** When the first turn ended that had more work than time; since then each turn has had. */
  #busySince: number | undefined;
  #endless = false;
  #flooded = false;
  #resting = false;
  #closed = false;
  /** Ends the rest that is under way. */
  #endRest: (() => void) | undefined;

  /** `sleep` calls back when the event loop has slept, and returns what cancels the sleep. */
  constructor(
    clock: Pick<Clock, "now">,
    sleep: (wake: () => void) => () => void = sleepBriefly,
  ) {
    this.#clock = clock;
    this.#sleep = sleep;
  }

  /** Whether the event loop is to sleep: work that can wait has to. */
  get resting(): boolean {
    return this.#resting;
  }

  /** Notes that work waits for another turn. */
  postponed(): void {
    this.#endless = true;
  }

  /** Notes that a client sends more than turns have time for; a rest begins anew. */
  flooded(): void {
    this.#endless = this.#flooded = true;
  }

  /**
   * A turn has ended, which was `busy` if it had more work than time. Returns whether the next messages
   * have to wait for the end of a rest that begins: a client that sends without a pause keeps the event
   * loop awake for as long as its messages are handled. Calls `over` at that end.
   */
  turnEnded(busy: boolean, over: () => void): boolean {
    if (!busy) this.#busySince = undefined;
    else if (this.#isTired()) {
      this.#resting = true;
      const deaf = this.#flooded;
      this.#rest(MAXIMUM_SLEEPS, over);
      return deaf;
    }
    return false;
  }

  /** Ends a rest that is under way; none begins any more, so that no timer outlives the server. */
  close(): void {
    this.#closed = true;
    this.#endRest?.();
  }

  #isTired(): boolean {
    if (this.#closed) return false;
    const now = this.#clock.now();
    this.#busySince ??= now;
    return now - this.#busySince >= (this.#endless ? BUSY_TIME : LONGEST_BUSY_TIME);
  }

  #rest(sleeps: number, over: () => void): void {
    this.#flooded = false;
    const end = () => {
      this.#endRest = undefined;
      this.#resting = this.#endless = false;
      this.#busySince = undefined;
      over();
    };
    const cancel = this.#sleep(() => {
      if (this.#flooded && sleeps > 1) this.#rest(sleeps - 1, over);
      else end();
    });
    this.#endRest = () => {
      cancel();
      end();
    };
  }
}
