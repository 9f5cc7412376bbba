import type { Clock } from "../clock.ts";

/** How many items expire in one turn of the event loop. */
const MAXIMUM_EXPIRED = 256;

/** Calls back for each item whose time is over. All items have the same time and share one timer. */
export class Deadlines<T> {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #expired: (item: T) => void;
  /** When each item is due; the oldest comes first. */
  readonly #due = new Map<T, number>();
  #timer: Disposable | undefined;

  /** `timeout` is in milliseconds. */
  constructor(clock: Clock, timeout: number, expired: (item: T) => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#expired = expired;
  }

  /** The number of items whose time has begun. */
  get size(): number {
    return this.#due.size;
  }

  /** Begins the time of `item`. */
  begin(item: T): void {
    // Deleted first, so that the oldest stay first.
    this.#due.delete(item);
    this.#due.set(item, this.#clock.now() + this.#timeout);
    if (this.#timer === undefined) this.#wait(this.#timeout);
  }

  /** Ends the time of `item` without a call. */
  end(item: T): void {
    this.#due.delete(item);
    if (this.#due.size === 0) this.clear();
  }

  /** Ends the time of every item without a call. */
  clear(): void {
    this.#due.clear();
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** Ends the time of every item now, with a call. */
  expire(): void {
    const items = [...this.#due.keys()];
    this.clear();
    for (const item of items) this.#expired(item);
  }

  #look(): void {
    const now = this.#clock.now();
    let expired = 0;
    // The fired timer stays in its place until the end: an item that begins meanwhile sets no other.
    for (const [item, due] of this.#due) {
      if (due > now) return this.#wait(due - now);
      // The event loop turns before the next ones.
      if (expired++ === MAXIMUM_EXPIRED) return this.#wait(0);
      this.#due.delete(item);
      this.#expired(item);
    }
    this.#timer = undefined;
  }

  #wait(delay: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.after(delay, () => this.#look());
  }
}
