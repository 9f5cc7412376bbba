import { deadline } from "@std/async";
import type {
  Backplane,
  BackplaneStatus,
  BackplaneStatusEvent,
} from "../../backplanes/backplane.ts";

/** The longest that anything may take here, in milliseconds. */
const PATIENCE = 20_000;

/** Bounds a wait. */
export function bounded<T>(promise: Promise<T>): Promise<T> {
  return deadline(promise, PATIENCE);
}

/** Resolves once `backplane` is `status`. */
export async function untilStatus(backplane: Backplane, status: BackplaneStatus): Promise<void> {
  if (backplane.status !== status) await nextEvent(backplane, (event) => event.status === status);
}

/** The next status event that `fits`. */
export async function nextEvent(
  backplane: Backplane,
  fits: (event: BackplaneStatusEvent) => boolean,
): Promise<BackplaneStatusEvent> {
  const { promise, resolve } = Promise.withResolvers<BackplaneStatusEvent>();
  using _listener = backplane.onStatus((event) => {
    if (fits(event)) resolve(event);
  });
  return await bounded(promise);
}

/** A prefix that no other test has. */
export function randomPrefix(): string {
  return `t${crypto.randomUUID()}`;
}

/** Collects what a handler is given, and waits for it. */
export class Inbox {
  readonly texts: string[] = [];
  #waiting: { count: number; resolve: () => void } | undefined;

  /** The handler. */
  readonly receive = (payload: Uint8Array): void => {
    this.texts.push(new TextDecoder().decode(payload));
    if (this.#waiting !== undefined && this.texts.length >= this.#waiting.count) {
      this.#waiting.resolve();
    }
  };

  /** Resolves once `count` messages have come. */
  async count(count: number): Promise<void> {
    if (this.texts.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    await bounded(promise);
  }
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
