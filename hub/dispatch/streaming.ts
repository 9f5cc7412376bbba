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
 * Unless it has ended, it is told that nobody reads on, and not waited for.
 *
 * `send` returns a promise while the client cannot take more.
 */
export async function stream(
  source: Streamable,
  send: (item: unknown) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const items = read(source);
  // One listener for the whole stream: a race per item would pile up reactions on one promise.
  let stop = () => {};
  const waitFor = <T>(promise: Promise<T>) => until(promise, (end) => stop = end);
  signal.addEventListener("abort", () => stop(), { once: true });
  let ended = false;
  try {
    while (!signal.aborted) {
      const next = await waitFor(items.next());
      ended = next?.done === true;
      if (next === undefined || ended || signal.aborted) return;
      const congested = send(next.value);
      if (congested !== undefined) await waitFor(congested);
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
    // Somebody else reads it.
  }
}

/** What is asked for items, and told when nobody wants more. */
interface Items {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  leave(): unknown;
}

function read(source: Streamable): Items {
  // Its reader can cancel while it waits; its iterator would wait for the next chunk first.
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

/** As `for await` does: what a synchronous iterator gives may be promised. */
async function settled({ done = false, value }: IteratorResult<unknown>) {
  return { done, value: await value };
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

/** A generator that waits hears of it when it is done waiting. */
function leave(items: Items): void {
  try {
    Promise.resolve(items.leave()).catch(() => {});
  } catch {
    // It was asked to stop; what it throws at that concerns nobody.
  }
}
