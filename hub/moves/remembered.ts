/** How many keys are remembered, and for how long, in milliseconds. */
const MAXIMUM_KEYS = 50_000;
const REMEMBERED = 60_000;

/** What was done a short time ago, so that a late repetition does not do it again. */
export class Remembered {
  /** When each key was added; the oldest comes first. */
  readonly #keys = new Map<string, number>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string, now: number): void {
    this.forgetOld(now);
    this.#keys.delete(key);
    this.#keys.set(key, now);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAXIMUM_KEYS && oldest !== undefined) this.#keys.delete(oldest);
  }

  /** Forgets old keys. */
  forgetOld(now: number): void {
    for (const [key, at] of this.#keys) {
      if (now - at < REMEMBERED) return;
      this.#keys.delete(key);
    }
  }
}
