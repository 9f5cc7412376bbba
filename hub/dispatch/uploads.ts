/**
 * Streams that a client sends. `specs/signalr-wire.md §9.5`.
 *
 * @module
 */
import { named } from "../connection/error_texts.ts";
import type { HeldMessage } from "../connection/held_message.ts";
import { HubError } from "../definition/errors.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { MessageType, type StreamItemMessage } from "../protocol/messages.ts";
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

/** Holds the record of an item that waits; `undefined` if the connection has ended because too much waits. */
type Hold = (record: TextOrBytes) => HeldMessage | undefined;

/**
 * One stream of a client, read by a method.
 *
 * - **Bounded**: waiting items count among the bytes that the client may send ahead. While the stream is
 *   full no further call of the client begins.
 * - **Left early** (`break` or `return`): later items are dropped.
 * - **Several readers** share the items: each item goes to the reader that has waited longest.
 */
class Upload implements AsyncIterableIterator<unknown> {
  readonly #capacity: number;
  readonly #hold: Hold;
  readonly #items: HeldMessage[] = [];
  #ended = false;
  #error: Error | undefined;
  #readers: PromiseWithResolvers<IteratorResult<unknown>>[] = [];
  #room: PromiseWithResolvers<void> | undefined;

  constructor(capacity: number, hold: Hold) {
    this.#capacity = capacity;
    this.#hold = hold;
  }

  /** Adds an item; returns a promise if that makes the stream full: until the stream has room again. */
  push(item: unknown, record: TextOrBytes): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: item });
      return undefined;
    }
    const held = this.#hold(record);
    if (held === undefined) return undefined;
    this.#items.push(held);
    if (this.#items.length <= this.#capacity || this.#room !== undefined) return undefined;
    this.#room = Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** Ends the stream, with an error if there is one. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve(this.#end());
  }

  /** Ends the stream though the client has not ended it: no call waits for its reader any more. */
  breakOff(error: Error): void {
    this.end(error);
    this.#release();
  }

  next(): Promise<IteratorResult<unknown>> {
    const held = this.#items.shift();
    if (held !== undefined) {
      const value = itemOf(held);
      if (this.#items.length <= this.#capacity) this.#release();
      return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return this.#end();
    const reader = Promise.withResolvers<IteratorResult<unknown>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<unknown>> {
    for (const held of this.#items.splice(0)) held.release();
    this.#release();
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

function itemOf(held: HeldMessage): unknown {
  const { message } = held.take();
  return message?.type === MessageType.StreamItem ? message.item : undefined;
}

/** The open streams of one client. */
export class Uploads {
  readonly #capacity: number;
  readonly #hold: Hold;
  /** The streams that the client has not ended, by id. */
  readonly #open = new Map<string, Upload>();
  /** The streams of each call, by the array of ids in the message of the call. */
  readonly #ofCalls = new Map<readonly string[], readonly Upload[]>();

  /** `capacity` is the number of items of a stream that may wait before it is full. */
  constructor(capacity: number, hold: Hold) {
    this.#capacity = capacity;
    this.#hold = hold;
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
        throw new HubError(`Stream ID '${named(id)}' is already in use.`);
      }
      seen.add(id);
    }
    const uploads = ids.map(() => new Upload(this.#capacity, this.#hold));
    this.#ofCalls.set(ids, uploads);
    return uploads.map((upload, index) => {
      this.#open.set(ids[index] ?? "", upload);
      const schema = schemas[index];
      return schema === undefined ? upload : checkItems(upload, schema);
    });
  }

  /** Adds an item to its stream; returns a promise while no further call may begin. Unknown ids are ignored. */
  item({ invocationId, item }: StreamItemMessage, record: TextOrBytes): Promise<void> | undefined {
    if (!(item instanceof UnreadableValue)) return this.#open.get(invocationId)?.push(item, record);
    this.complete(invocationId, "Failed to bind Stream message.");
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
    this.#ofCalls.get(ids)?.forEach((upload, index) => {
      upload.return();
      const id = ids[index] ?? "";
      if (this.#open.get(id) === upload) this.#open.delete(id);
    });
    this.#ofCalls.delete(ids);
  }

  /** Ends all streams, because the connection has ended or for another reason. */
  close(error: Error = new UploadClosedError()): void {
    for (const upload of this.#open.values()) upload.breakOff(error);
    this.#open.clear();
  }
}
