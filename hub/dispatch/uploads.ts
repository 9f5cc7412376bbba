/**
 * Streams that a client sends. `specs/signalr-wire.md §9.5`.
 *
 * @module
 */
import { HubError } from "../errors.ts";

/** The connection ended before the stream did. */
class UploadClosedError extends Error {
  constructor() {
    super("The underlying connection was closed.");
    this.name = "UploadClosedError";
  }
}

/**
 * One stream of a client, for the method to read.
 *
 * - **Bounded**: beyond its capacity nothing more is read from the client until the method has read.
 * - **Left early** (`break` or `return`): what still comes is dropped.
 */
class Upload implements AsyncIterableIterator<unknown> {
  readonly #capacity: number;
  readonly #items: unknown[] = [];
  #ended = false;
  #error: Error | undefined;
  #reader: PromiseWithResolvers<IteratorResult<unknown>> | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds an item; returns a promise while there is no room for more. */
  push(item: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value: item });
      this.#reader = undefined;
      return undefined;
    }
    this.#items.push(item);
    if (this.#items.length <= this.#capacity) return undefined;
    return (this.#room ??= Promise.withResolvers<void>()).promise;
  }

  /** The client sends no more, or nobody reads any more. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#release();
    if (this.#reader === undefined) return;
    if (error === undefined) this.#reader.resolve({ done: true, value: undefined });
    else this.#reader.reject(error);
    this.#reader = undefined;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      if (this.#items.length <= this.#capacity) this.#release();
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined;
      return error === undefined
        ? Promise.resolve({ done: true, value: undefined })
        : Promise.reject(error);
    }
    return (this.#reader ??= Promise.withResolvers()).promise;
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

  #release(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

/** The streams that one client has open. */
export class Uploads {
  readonly #capacity: number;
  readonly #open = new Map<string, Upload>();

  /** `capacity` is how many items of a stream may wait to be read. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Opens streams with these ids.
   *
   * @throws {HubError} if one is open already; none is opened then.
   */
  open(ids: readonly string[]): readonly AsyncIterable<unknown>[] {
    const seen = new Set<string>();
    for (const id of ids) {
      if (this.#open.has(id) || seen.has(id)) {
        throw new HubError(`Stream ID '${id}' is already in use.`);
      }
      seen.add(id);
    }
    return ids.map((id) => {
      const upload = new Upload(this.#capacity);
      this.#open.set(id, upload);
      return upload;
    });
  }

  /** An item has come; returns a promise while nothing more may be read. Unknown ids are ignored. */
  item(id: string, item: unknown): Promise<void> | undefined {
    return this.#open.get(id)?.push(item);
  }

  /** A stream has ended, in an error if there is one; returns whether there was one of that id. */
  complete(id: string, error: string | undefined): boolean {
    const upload = this.#open.get(id);
    if (upload === undefined) return false;
    this.#open.delete(id);
    upload.end(error === undefined ? undefined : new HubError(error));
    return true;
  }

  /** The method has ended: nobody reads these any more. */
  drop(ids: readonly string[]): void {
    for (const id of ids) {
      this.#open.get(id)?.return();
      this.#open.delete(id);
    }
  }

  /** The connection is gone. */
  close(): void {
    for (const upload of this.#open.values()) upload.end(new UploadClosedError());
    this.#open.clear();
  }
}
