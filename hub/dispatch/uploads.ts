/**
 * Streams that a client sends. `specs/signalr-wire.md §9.5`.
 *
 * @module
 */
import { HubError } from "../definition/errors.ts";
import { UnreadableValue } from "../protocol/pack/values.ts";
import type { StandardSchema } from "../definition/schema.ts";
import { checkItems } from "./schema_arguments.ts";

/** The connection ended before the stream. */
export class UploadClosedError extends Error {
  constructor() {
    super("The underlying connection was closed.");
    this.name = "UploadClosedError";
  }
}

/**
 * One stream of a client, read by a method.
 *
 * - **Bounded**: while the stream is full nothing more is read from the client.
 * - **Left early** (`break` or `return`): later items are dropped.
 * - **Several readers** share the items: each item goes to the reader that has waited longest.
 */
class Upload implements AsyncIterableIterator<unknown> {
  /** The array of stream ids in the message of the call; the array identifies the call. */
  readonly #ids: readonly string[];
  readonly #capacity: number;
  readonly #items: unknown[] = [];
  #ended = false;
  #error: Error | undefined;
  #readers: PromiseWithResolvers<IteratorResult<unknown>>[] = [];
  #room: PromiseWithResolvers<void> | undefined;

  constructor(ids: readonly string[], capacity: number) {
    this.#ids = ids;
    this.#capacity = capacity;
  }

  /** Whether the stream belongs to the call with this very array of ids. */
  isOf(ids: readonly string[]): boolean {
    return this.#ids === ids;
  }

  /** Adds an item; returns a promise while the stream is full. */
  push(item: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: item });
      return undefined;
    }
    this.#items.push(item);
    if (this.#items.length <= this.#capacity) return undefined;
    return (this.#room ??= Promise.withResolvers<void>()).promise;
  }

  /** Ends the stream, with an error if there is one. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#release();
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve(this.#end());
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      if (this.#items.length <= this.#capacity) this.#release();
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return this.#end();
    const reader = Promise.withResolvers<IteratorResult<unknown>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#items.length = 0;
    this.#error = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The result at the end: the first reader gets the error, later readers the end. */
  #end(): Promise<IteratorResult<unknown>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error);
  }

  #release(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

/** The open streams of one client. */
export class Uploads {
  readonly #capacity: number;
  readonly #open = new Map<string, Upload>();

  /** `capacity` is the number of items of a stream that may wait to be read. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Opens streams with these ids. The items of each stream are checked with its schema, if it has one.
   *
   * @throws {HubError} if a stream with one of the ids is open already; no stream is opened then.
   */
  open(
    ids: readonly string[],
    schemas: readonly StandardSchema[] = [],
  ): readonly AsyncIterable<unknown>[] {
    const seen = new Set<string>();
    for (const id of ids) {
      if (this.#open.has(id) || seen.has(id)) {
        throw new HubError(`Stream ID '${id}' is already in use.`);
      }
      seen.add(id);
    }
    return ids.map((id, index) => {
      const upload = new Upload(ids, this.#capacity);
      this.#open.set(id, upload);
      const schema = schemas[index];
      return schema === undefined ? upload : checkItems(upload, schema);
    });
  }

  /** Adds an item to its stream; returns a promise while nothing more may be read. Unknown ids are ignored. */
  item(id: string, item: unknown): Promise<void> | undefined {
    if (!(item instanceof UnreadableValue)) return this.#open.get(id)?.push(item);
    this.complete(id, "Failed to bind Stream message.");
    return undefined;
  }

  /** Ends a stream, with an error if there is one; returns whether there was a stream with the id. */
  complete(id: string, error: string | undefined): boolean {
    const upload = this.#open.get(id);
    if (upload === undefined) return false;
    this.#open.delete(id);
    upload.end(error === undefined ? undefined : new HubError(error));
    return true;
  }

  /** Drops the streams of a call that has ended. A later call may use the ids again. */
  drop(ids: readonly string[]): void {
    for (const id of ids) {
      const upload = this.#open.get(id);
      if (!upload?.isOf(ids)) continue;
      upload.return();
      this.#open.delete(id);
    }
  }

  /** Ends all streams, because the connection has ended. */
  close(): void {
    for (const upload of this.#open.values()) upload.end(new UploadClosedError());
    this.#open.clear();
  }
}
