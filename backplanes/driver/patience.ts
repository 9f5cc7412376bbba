/**
 * Bounds waits that are all equally long. There is one timer for all of them, which looks at the oldest,
 * and none while nobody waits.
 */
export class Patience<W extends object> {
  readonly #timeout: number;
  readonly #expired: (waiter: W) => void;
  /** Who waits since when, oldest first. */
  readonly #waiting = new Map<W, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `expired` is called with each that has waited for `timeout` milliseconds. */
  constructor(timeout: number, expired: (waiter: W) => void) {
    this.#timeout = timeout;
    this.#expired = expired;
  }

  /** `waiter` begins to wait. */
  begin(waiter: W): void {
    this.#waiting.set(waiter, performance.now());
    this.#timer ??= setTimeout(this.#look, this.#timeout);
  }

  /** `waiter` does not wait any more. */
  end(waiter: W): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size === 0) this.close();
  }

  /** Nobody waits any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [waiter, since] of this.#waiting) {
      const left = since + this.#timeout - now;
      if (left > 0) {
        this.#timer = setTimeout(this.#look, left);
        return;
      }
      this.#waiting.delete(waiter);
      this.#expired(waiter);
    }
  };
}
