/**
 * Streams results to a client. `specs/signalr-wire.md §9.3 and §9.4`.
 *
 * @module
 */

/** A result that can be streamed. */
export type Streamable = AsyncIterable<unknown> | Iterable<unknown>;

/** Whether a method's result can be streamed; a `ReadableStream` is an `AsyncIterable`. */
export function isStreamable(value: unknown): value is Streamable {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Sends every item of `source` until the source ends or `signal` is aborted. A source that has not ended
 * is told to stop, and nobody waits for it.
 *
 * `send` returns a promise while no further item may be sent: the client cannot take more items, or the
 * turn has no time left. Without the second, a source whose items are in memory would run without end
 * before the node hears that the client has left.
 */
export async function stream(
  source: Streamable,
  send: (item: unknown) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const items = read(source);
  // One listener for the whole stream: a race for each item would pile up reactions on one promise.
  let stop = () => {};
  const waitFor = <T>(promise: Promise<T>) => until(promise, (end) => stop = end);
  signal.addEventListener("abort", () => stop(), { once: true });
  let ended = false;
  try {
    while (!signal.aborted) {
      const next = await waitFor(items.next());
      ended = next?.done === true;
      if (next === undefined || ended || signal.aborted) return;
      const wait = send(next.value);
      if (wait !== undefined) await waitFor(wait);
    }
  } finally {
    if (!ended) leave(items);
  }
}

/** Ends `source` unread. */
export function discard(source: Streamable): void {
  try {
    leave(read(source));
  } catch {
    // The stream has another reader.
  }
}

/** The reader of a source. */
interface Items {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  leave(): unknown;
}

function read(source: Streamable): Items {
  // A reader can cancel while it waits; an iterator would wait for the next chunk first.
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return { next: () => reader.read(), leave: () => reader.cancel() };
  }
  if (Symbol.asyncIterator in source) {
    const iterator = source[Symbol.asyncIterator]();
    return { next: async () => await iterator.next(), leave: () => iterator.return?.() };
  }
  const iterator = source[Symbol.iterator]();
  return { next: () => settled(iterator.next()), leave: () => iterator.return?.() };
}

/** As in `for await`, the items of a synchronous iterator may be promises. */
async function settled({ done = false, value }: IteratorResult<unknown>) {
  return { done, value: await value };
}

/** Settles as `promise` does, or with `undefined` when the registered function is called. */
function until<T>(
  promise: Promise<T>,
  register: (end: () => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    register(() => resolve(undefined));
    promise.then(resolve, reject);
  });
}

/** Tells a source to stop. A generator that waits stops after its wait. */
function leave(items: Items): void {
  try {
    Promise.resolve(items.leave()).catch(() => {});
  } catch {
    // The source was told to stop, so its error is ignored.
  }
}
