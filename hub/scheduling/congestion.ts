import type { Clock } from "../clock.ts";

/** Something that may have too much to send. */
export interface Writable {
  readonly congested: boolean;
}

/** The wait for something that has too much to send; all who wait for it share the first one's timeout. */
interface Wait {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  /** When the wait ends at the latest. */
  readonly end: number;
}

/**
 * The pauses before each look at something congested, in milliseconds; the last pause repeats. Native
 * sockets do not say when they have drained: most drain very soon, and looks at slow sockets must cost
 * little.
 */
const PAUSES = [1, 4, 16, 50] as const;

/** Looks at everything that has too much to send until it has not. */
export class Congestion {
  readonly #clock: Pick<Clock, "after" | "now">;
  readonly #walk: (items: Iterable<Writable>, visit: (item: Writable) => void) => void;
  readonly #waits = new Map<Writable, Wait>();
  /** All writables with the same pause share one timer. */
  readonly #polled: readonly Set<Writable>[] = PAUSES.map(() => new Set());
  readonly #timers: (Disposable | undefined)[] = [];

  /** `walk` visits items in bounded turns. */
  constructor(
    clock: Pick<Clock, "after" | "now">,
    walk: (items: Iterable<Writable>, visit: (item: Writable) => void) => void,
  ) {
    this.#clock = clock;
    this.#walk = walk;
  }

  /** Resolves when `writable` is not congested any more, after `timeout`, or at {@link end}. */
  until(writable: Writable, timeout: number): Promise<void> {
    let wait = this.#waits.get(writable);
    if (wait === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wait = { promise, resolve, end: this.#clock.now() + timeout };
      this.#waits.set(writable, wait);
      this.#poll(writable, 0);
    }
    return wait.promise;
  }

  /** Ends the wait for `writable`, which has ended. */
  end(writable: Writable): void {
    if (!this.#settle(writable)) return;
    for (const [step, polled] of this.#polled.entries()) {
      if (!polled.delete(writable) || polled.size > 0) continue;
      this.#timers[step]?.[Symbol.dispose]();
      this.#timers[step] = undefined;
    }
  }

  #settle(writable: Writable): boolean {
    this.#waits.get(writable)?.resolve();
    return this.#waits.delete(writable);
  }

  #poll(writable: Writable, step: number): void {
    this.#polled[step]?.add(writable);
    this.#timers[step] ??= this.#clock.after(PAUSES[step] ?? 0, () => this.#look(step));
  }

  #look(step: number): void {
    this.#timers[step] = undefined;
    const writables = [...this.#polled[step] ?? []];
    this.#polled[step]?.clear();
    const now = this.#clock.now();
    this.#walk(writables, (writable) => {
      const wait = this.#waits.get(writable);
      if (wait === undefined) return;
      if (now >= wait.end || !writable.congested) this.#settle(writable);
      else this.#poll(writable, Math.min(step + 1, PAUSES.length - 1));
    });
  }
}
