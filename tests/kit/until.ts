import { deadline, delay } from "@std/async";

/** The longest that anything may take here, in milliseconds. */
const PATIENCE = 15_000;

/** Bounds a wait, in milliseconds. */
export function bounded<T>(promise: PromiseLike<T>, patience: number = PATIENCE): Promise<T> {
  return deadline(Promise.resolve(promise), patience);
}

/** Resolves when `condition` holds, for what has no event; fails if it does not in time. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const last = performance.now() + PATIENCE;
  while (!await condition()) {
    if (performance.now() > last) throw new Error(`Cannot go on: ${condition} does not hold`);
    await delay(5);
  }
}

/** Collects what happens, and waits for it. */
export class Events<T> {
  /** Everything so far. */
  readonly all: T[] = [];
  #taken = 0;
  #wake: (() => void) | undefined;

  /** Something happened. */
  readonly add = (event: T): void => {
    this.all.push(event);
    this.#wake?.();
  };

  /** The next event that was not taken yet. */
  async next(): Promise<T> {
    while (this.all.length === this.#taken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await bounded(promise);
    }
    return this.all[this.#taken++] as T;
  }

  /** The next `count` events. */
  async take(count: number): Promise<T[]> {
    const taken: T[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }
}
