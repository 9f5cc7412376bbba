import { type FrameReader, messageTooLarge } from "./framing.ts";
import { type Frame, ProtocolError } from "./protocol.ts";

/** The longest length prefix, in bytes. */
const LONGEST_PREFIX = 5;

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();

/** Records with a length prefix in little-endian base-128. Text chunks are read as their UTF-8 bytes. */
export class BinaryFrameReader implements FrameReader {
  readonly #maximum: number | null;
  #chunks: Uint8Array[] = [];
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #pushed = 0;
  /** How many bytes the record that is not whole yet takes: below that nothing need be joined. */
  #wanted = 0;

  constructor(maximumBytes: number | null) {
    this.#maximum = maximumBytes;
  }

  get bufferedBytes(): number {
    return this.#bytes.length - this.#start + this.#pushed;
  }

  push(chunk: Frame): void {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    this.#chunks.push(bytes);
    this.#pushed += bytes.length;
  }

  read(): Uint8Array | undefined {
    if (this.bufferedBytes < this.#wanted) return this.#incomplete();
    this.#join();
    const prefix = this.#prefix();
    if (prefix === undefined) return this.#incomplete();
    const end = prefix.end + prefix.length;
    const frame = end - this.#start;
    this.#wanted = frame;
    if (end > this.#bytes.length) return this.#incomplete();
    this.#wanted = 0;
    if (this.#maximum !== null && frame > this.#maximum) throw messageTooLarge(this.#maximum);
    if (prefix.length === 0) {
      throw new ProtocolError(
        "Attempted to read past the end of the stream.",
        "EndOfStreamException",
      );
    }
    const record = this.#bytes.subarray(prefix.end, end);
    this.#start = end;
    // An idle connection keeps nothing of what it has read.
    if (end === this.#bytes.length) {
      this.#bytes = NOTHING;
      this.#start = 0;
    }
    return record;
  }

  dropPartial(): void {
    this.#join();
    this.#bytes = this.#bytes.subarray(0, this.#endOfWhole());
    this.#wanted = 0;
  }

  /** Where the last whole record ends. */
  #endOfWhole(): number {
    let end = this.#start;
    try {
      for (let prefix = this.#prefix(); prefix !== undefined; prefix = this.#prefix(end)) {
        const next = prefix.end + prefix.length;
        if (next > this.#bytes.length) break;
        end = next;
      }
      return end;
    } catch {
      // A malformed prefix stays, and ends the connection when it is read.
      return this.#bytes.length;
    }
  }

  /** One piece of what was pushed, joined only when it is looked at. */
  #join(): void {
    if (this.#chunks.length === 0) return;
    const rest = this.#bytes.subarray(this.#start);
    const [first] = this.#chunks;
    if (rest.length === 0 && this.#chunks.length === 1 && first !== undefined) {
      this.#bytes = first;
    } else {
      const joined = new Uint8Array(rest.length + this.#pushed);
      joined.set(rest);
      let at = rest.length;
      for (const chunk of this.#chunks) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#bytes = joined;
    }
    this.#start = 0;
    this.#chunks = [];
    this.#pushed = 0;
  }

  #prefix(start = this.#start): { length: number; end: number } | undefined {
    let length = 0;
    for (let i = 0; i < LONGEST_PREFIX; i++) {
      const byte = this.#bytes[start + i];
      if (byte === undefined) return undefined;
      if (i === LONGEST_PREFIX - 1 && byte > 7) {
        throw new ProtocolError("Messages over 2GB in size are not supported.", "FormatException");
      }
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { length, end: start + i + 1 };
    }
    return undefined;
  }

  /** A prefix alone is no offence; what has really arrived is counted. */
  #incomplete(): undefined {
    if (this.#maximum !== null && this.bufferedBytes > this.#maximum) {
      throw messageTooLarge(this.#maximum);
    }
  }
}
