/**
 * Nobody is asked for messages that were handed over so long before a channel was wanted, in milliseconds.
 * An answer that takes longer is ignored, because the age in its question was an age at that time.
 */
export const SLACK = 5000;
/** How many questions are remembered: those of the time that an answer may take. */
const MAXIMUM_ASKED = 20;

/** The questions about one thing that may still be answered. */
export class Asked {
  readonly #times = new Map<number, number>();
  /** When the last question was asked; `undefined` before the first. */
  lastAt: number | undefined;

  /** A question is asked. */
  add(id: number, now: number): void {
    this.lastAt = now;
    this.#times.set(id, now);
    const [oldest] = this.#times.keys();
    if (this.#times.size > MAXIMUM_ASKED && oldest !== undefined) this.#times.delete(oldest);
  }

  /** When the question was asked to which an answer comes now; `undefined` if that comes too late. */
  answered(id: number, now: number): number | undefined {
    const askedAt = this.#times.get(id);
    return askedAt !== undefined && now - askedAt <= SLACK ? askedAt : undefined;
  }

  /** Questions about another thing follow. */
  clear(): void {
    this.#times.clear();
  }
}
