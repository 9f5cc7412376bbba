import { setImmediate } from "node:timers";
import { deadline } from "@std/async";

/** The longest that anything may take here, in milliseconds; never reached unless a test fails. */
const PATIENCE = 20_000;

/** Bounds a wait; `what` says in the failure what did not come. */
export async function bounded<T>(promise: Promise<T>, what = "a promise"): Promise<T> {
  try {
    return await deadline(promise, PATIENCE);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new Error(`Waited ${PATIENCE} ms for ${what}`, { cause: error });
  }
}

/** What has come so far, in order, and a way to wait for more. */
export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  /** Takes the next one. */
  add(item: T): void {
    this.all.push(item);
    for (const look of this.#waiting) look();
  }

  /** Resolves as soon as all that has come `fits`. */
  async until(fits: (all: readonly T[]) => boolean, what = "arrivals"): Promise<readonly T[]> {
    if (fits(this.all)) return this.all;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (fits(this.all)) resolve();
    };
    this.#waiting.add(look);
    try {
      await bounded(promise, what);
    } catch (error) {
      throw new Error(`${(error as Error).message}; came: ${Deno.inspect(this.all)}`);
    } finally {
      this.#waiting.delete(look);
    }
    return this.all;
  }

  /** Resolves once `count` have come. */
  count(count: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count, `${count} arrivals`);
  }

  /** Resolves once one that `fits` has come. */
  async find(fits: (item: T) => boolean, what?: string): Promise<T> {
    const all = await this.until((all) => all.some(fits), what);
    return all.find(fits) as T;
  }
}

/** A prefix that no other test has. */
export function randomPrefix(): string {
  return `t${crypto.randomUUID()}:`;
}

/** Resolves at the end of the turn, when what was queued in it for clients has been written. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
