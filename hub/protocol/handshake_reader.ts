import { ByteQueue } from "./byte_queue.ts";
import { messageTooLarge, RECORD_SEPARATOR } from "./framing.ts";
import { utf8Length } from "./frame.ts";
import type { TextOrBytes } from "./frame.ts";

/** The handshake request, and what came behind it. */
export interface HandshakeRecord {
  readonly record: string;
  /** Messages that came in the same chunk, as they came: text, or bytes that must not be decoded. */
  readonly rest: TextOrBytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const SEPARATOR = 0x1e;

/** Collects chunks until the handshake request is whole. */
export class HandshakeReader {
  readonly #maximum: number | null;
  readonly #bytes = new ByteQueue();

  constructor(maximumBytes: number | null) {
    this.#maximum = maximumBytes;
  }

  /**
   * Adds what arrived; returns the request once it is whole.
   *
   * @throws {ProtocolError} if the first bytes, as many as a message may have, hold no separator.
   */
  push(chunk: TextOrBytes): HandshakeRecord | undefined {
    // Nearly always the request comes as one text.
    if (typeof chunk === "string" && this.#bytes.length === 0) {
      const end = chunk.indexOf(RECORD_SEPARATOR);
      if (end >= 0) {
        const record = chunk.slice(0, end);
        this.#check(utf8Length(record) + 1);
        return { record, rest: chunk.slice(end + 1) };
      }
    }
    const seen = this.#bytes.length;
    this.#bytes.push(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    const end = this.#bytes.indexOf(SEPARATOR, seen);
    this.#check(end < 0 ? this.#bytes.length : end + 1);
    if (end < 0) return undefined;
    const record = decoder.decode(this.#bytes.take(end + 1).subarray(0, end));
    // Bytes stay bytes; a text is given back as one, so that it is decoded nowhere.
    const rest = this.#bytes.take(this.#bytes.length);
    return { record, rest: typeof chunk === "string" ? decoder.decode(rest) : rest };
  }

  #check(bytes: number): void {
    if (this.#maximum !== null && bytes > this.#maximum) throw messageTooLarge(this.#maximum);
  }
}
