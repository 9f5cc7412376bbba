import { ByteQueue } from "../byte_queue.ts";
import { type FrameReader, messageTooLarge } from "../framing.ts";
import type { TextOrBytes } from "../frame.ts";
import { ProtocolError } from "../protocol_error.ts";

/** The maximum size of a length prefix, in bytes. */
const LONGEST_PREFIX = 5;

const encoder = new TextEncoder();

/**
 * Cuts chunks into records, each behind its length in little-endian base 128. A text chunk counts as its
 * UTF-8 bytes.
 */
export class BinaryFrameReader implements FrameReader {
  readonly #maximum: number | null;
  readonly #bytes = new ByteQueue();

  constructor(maximumBytes: number | null) {
    this.#maximum = maximumBytes;
  }

  get bufferedBytes(): number {
    return this.#bytes.length;
  }

  push(chunk: TextOrBytes): void {
    this.#bytes.push(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  }

  read(): Uint8Array | undefined {
    const prefix = this.#prefix(0);
    const frame = prefix === undefined ? Infinity : prefix.end + prefix.length;
    // Only bytes that have arrived count: a prefix may claim any length.
    const arrived = Math.min(frame, this.#bytes.length);
    if (this.#maximum !== null && arrived > this.#maximum) throw messageTooLarge(this.#maximum);
    if (prefix === undefined || frame > this.#bytes.length) return undefined;
    if (prefix.length === 0) {
      throw new ProtocolError(
        "Attempted to read past the end of the stream.",
        "EndOfStreamException",
      );
    }
    return this.#bytes.take(frame).subarray(prefix.end);
  }

  dropPartial(): void {
    this.#bytes.keep(this.#endOfWhole());
  }

  /** The offset behind the last whole record. */
  #endOfWhole(): number {
    let end = 0;
    try {
      for (let prefix = this.#prefix(0); prefix !== undefined; prefix = this.#prefix(end)) {
        const next = prefix.end + prefix.length;
        if (next > this.#bytes.length) break;
        end = next;
      }
      return end;
    } catch {
      // A malformed prefix is kept: reading it ends the connection.
      return this.#bytes.length;
    }
  }

  #prefix(start: number): { length: number; end: number } | undefined {
    let length = 0;
    for (let i = 0; i < LONGEST_PREFIX; i++) {
      const byte = this.#bytes.at(start + i);
      if (byte === undefined) return undefined;
      if (i === LONGEST_PREFIX - 1 && byte > 7) {
        throw new ProtocolError("Messages over 2GB in size are not supported.", "FormatException");
      }
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { length, end: start + i + 1 };
    }
    return undefined;
  }
}
