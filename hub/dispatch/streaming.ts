/**
 * Streams to a client. `specs/signalr-wire.md §9.3 and §9.4`.
 *
 * @module
 */

/** Something that gives one item after the other. */
export type Streamable = AsyncIterable<unknown> | Iterable<unknown>;

/** Whether a method's result can be streamed; a `ReadableStream` is an `AsyncIterable`. */
export function isStreamable(value: unknown): value is Streamable {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Sends every item of `source` until it ends or `signal` is aborted; then nothing more is asked of it.
 *
 * `send` returns a promise while the client cannot take more.
 */
export async function stream(
  source: Streamable,
  send: (item: unknown) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const iterator = Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
  // One listener for the whole stream: a race per item would pile up reactions on one promise.
  let stop = () => {};
  signal.addEventListener("abort", () => stop(), { once: true });
  try {
    while (!signal.aborted) {
      const next = await until(Promise.resolve(iterator.next()), (end) => stop = end);
      if (next === undefined || next.done || signal.aborted) return;
      await send(next.value);
    }
  } finally {
    if (signal.aborted) leave(iterator);
  }
}

/** Settles as `promise` does, or with `undefined` as soon as what `register` was given is called. */
function until<T>(
  promise: Promise<T>,
  register: (end: () => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    register(() => resolve(undefined));
    promise.then(resolve, reject);
  });
}

/** Tells the source that nobody reads on; a generator that waits hears of it when it is done waiting. */
function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // It was asked to stop; what it throws at that concerns nobody.
  }
}
