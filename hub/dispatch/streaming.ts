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

/** Ends a stream before its source does. An `AbortController` would cost more than most streams. */
export class StreamEnd {
  #reached = false;
  #stop = () => {};

  /** Whether the stream is to send no more items. */
  get reached(): boolean {
    return this.#reached;
  }

  /** Ends the stream now. */
  reach(): void {
    this.#reached = true;
    this.#stop();
  }

  /** Settles as `promise` does, or with `undefined` at the end of the stream; one wait at a time. */
  until<T>(promise: Promise<T>): Promise<T | undefined> {
    // No race: each item would pile up a reaction on a promise that lives as long as the stream.
    return new Promise((resolve, reject) => {
      this.#stop = () => resolve(undefined);
      if (this.#reached) this.#stop();
      promise.then(resolve, reject);
    });
  }
}

/**
 * Sends every item of `source` until the source ends or `end` is reached. A source that has not ended
 * is told to stop, and nobody waits for it.
 *
 * `send` returns a promise while no further item may be sent: the client cannot take more items, or the
 * turn has no time left. Without the second, a source whose items are in memory would run without end
 * before the node hears that the client has left.
 */
export async function stream(
  source: Streamable,
  send: (item: unknown) => Promise<void> | undefined,
  end: StreamEnd,
): Promise<void> {
  const items = read(source);
  let ended = false;
  try {
    while (!end.reached) {
      const next = await end.until(items.next());
      ended = next?.done === true;
      if (next === undefined || ended || end.reached) return;
      const wait = send(next.value);
      if (wait !== undefined) await end.until(wait);
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

/** Tells a source to stop. A generator that waits stops after its wait. */
function leave(items: Items): void {
  try {
    Promise.resolve(items.leave()).catch(() => {});
  } catch {
    // The source was told to stop, so its error is ignored.
  }
}
