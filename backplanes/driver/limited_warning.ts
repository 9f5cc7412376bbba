import type { BackplaneLogger } from "./options.ts";

/** For how long one warning stands for the warnings after it, in milliseconds. */
const PERIOD = 60_000;

/**
 * A warning that the bus can cause again and again. The first one is logged at once, and then
 * at most one a minute, which says how many were left out before it.
 */
export class LimitedWarning {
  readonly #text: string;
  readonly #logger: Pick<BackplaneLogger, "warn">;
  readonly #now: () => number;
  #logged = -Infinity;
  #omitted = 0;

  /** `now` is a clock that never jumps, in milliseconds. */
  constructor(
    text: string,
    logger: Pick<BackplaneLogger, "warn">,
    now: () => number = () => performance.now(),
  ) {
    this.#text = text;
    this.#logger = logger;
    this.#now = now;
  }

  /** Logs the warning with `details`, unless that was done in the last minute. */
  log(...details: unknown[]): void {
    const now = this.#now();
    if (now - this.#logged < PERIOD) {
      this.#omitted++;
      return;
    }
    const times = this.#omitted === 1 ? "once more" : `${this.#omitted} more times`;
    const before = this.#omitted === 0 ? "" : ` (and ${times} before)`;
    this.#logged = now;
    this.#omitted = 0;
    this.#logger.warn(`${this.#text}${before}`, ...details);
  }
}
