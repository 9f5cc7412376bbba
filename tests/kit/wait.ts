/**
 * Waits for what has to come. Every wait has a bound, and a failure names what did not come.
 *
 * @module
 */
import { deadline, delay } from "@std/async";
import type {
  Backplane,
  BackplaneStatus,
  BackplaneStatusEvent,
} from "../../backplanes/backplane.ts";

/** The longest that anything may take, in milliseconds; never reached unless a test fails. */
const PATIENCE = 20_000;

/** Bounds a wait; `what` says in the failure what did not come. */
export async function bounded<T>(promise: PromiseLike<T>, what = "a promise"): Promise<T> {
  try {
    return await deadline(Promise.resolve(promise), PATIENCE);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "TimeoutError") throw error;
    throw new Error(`Waited ${PATIENCE} ms for ${what}`, { cause: error });
  }
}

/** Resolves when `condition` holds, for what has no event; fails if it does not in time. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const last = performance.now() + PATIENCE;
  while (!await condition()) {
    if (performance.now() > last) throw new Error(`Cannot go on: ${condition} does not hold`);
    await delay(5);
  }
}

/** Collects events in order, and waits for more. */
export class Events<T> {
  /** Every event so far. */
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** Adds an event. */
  readonly add = (event: T): void => {
    this.all.push(event);
    for (const look of this.#waiting) look();
  };

  /** The next event that was not taken yet. */
  async next(): Promise<T> {
    await this.count(this.#taken + 1);
    return this.all[this.#taken++] as T;
  }

  /** The next `count` events. */
  async take(count: number): Promise<T[]> {
    const taken: T[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  /** Resolves as soon as all events so far `fit`. */
  async until(fit: (all: readonly T[]) => boolean, what = "events"): Promise<readonly T[]> {
    if (fit(this.all)) return this.all;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (fit(this.all)) resolve();
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

  /** Resolves once there are `count` events. */
  count(count: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count, `${count} events`);
  }

  /** Resolves with the first event that `fits`. */
  async find(fits: (event: T) => boolean, what?: string): Promise<T> {
    const all = await this.until((all) => all.some(fits), what);
    return all.find(fits) as T;
  }
}

/** The texts that a backplane's handler receives. */
export class Inbox extends Events<string> {
  /** The handler. */
  readonly receive = (payload: Uint8Array): void => this.add(new TextDecoder().decode(payload));
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Resolves with the next status event that `fits`. */
export async function nextEvent(
  backplane: Backplane,
  fits: (event: BackplaneStatusEvent) => boolean,
): Promise<BackplaneStatusEvent> {
  const { promise, resolve } = Promise.withResolvers<BackplaneStatusEvent>();
  using _listener = backplane.onStatus((event) => {
    if (fits(event)) resolve(event);
  });
  return await bounded(promise, `a status event; the status is ${backplane.status}`);
}

/** Resolves once `backplane` is `status`. */
export async function untilStatus(backplane: Backplane, status: BackplaneStatus): Promise<void> {
  if (backplane.status !== status) await nextEvent(backplane, (event) => event.status === status);
}

/** Resolves with the error that closed `backplane`. */
export async function untilClosed(backplane: Backplane): Promise<Error> {
  const { error } = await nextEvent(backplane, ({ status }) => status === "closed");
  if (error === undefined) throw new Error("Cannot tell why it closed: the event has no error");
  return error;
}

/** A prefix of channels that no other test has. */
export function randomPrefix(end = ":"): string {
  return `t${crypto.randomUUID()}${end}`;
}
