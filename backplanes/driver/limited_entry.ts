/** For how long one entry stands for the entries after it, in milliseconds. */
const PERIOD = 60_000;

/**
 * An entry of the log that the bus can cause again and again. The first one is written at once, and then
 * at most one a minute, which says how many entries were left out before it.
 */
export class LimitedEntry {
  readonly #text: string;
  readonly #write: (text: string, ...details: unknown[]) => void;
  readonly #now: () => number;
  #written = -Infinity;
  #omitted = 0;

  /** `now` is a clock that never jumps, in milliseconds. */
  constructor(
    text: string,
    write: (text: string, ...details: unknown[]) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#text = text;
    this.#write = write;
    this.#now = now;
  }

  /** Writes the entry with `details`, unless an entry was written in the last minute. */
  log(...details: unknown[]): void {
    const now = this.#now();
    if (now - this.#written < PERIOD) {
      this.#omitted++;
      return;
    }
    const times = this.#omitted === 1 ? "once more" : `${this.#omitted} more times`;
    const before = this.#omitted === 0 ? "" : ` (and ${times} before)`;
    this.#written = now;
    this.#omitted = 0;
    this.#write(`${this.#text}${before}`, ...details);
  }
}
