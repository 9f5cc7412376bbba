import { type TextOrBytes, utf8Length } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";
import { TextQueue } from "./text_queue.ts";

/** Ends every record of a text protocol, and the handshake of every protocol. */
export const RECORD_SEPARATOR = "\x1e";

/** Cuts a stream of chunks into records; chunk boundaries have no meaning. */
export interface FrameReader {
  /** Adds a chunk. */
  push(chunk: TextOrBytes): void;
  /**
   * The next whole record without its framing, or `undefined` until more arrives.
   *
   * @throws {ProtocolError} if a record is, or is going to be, larger than allowed.
   */
  read(): TextOrBytes | undefined;
  /** Forgets the beginning of an incomplete record whose end will never come. */
  dropPartial(): void;
  /**
   * The bytes that were pushed and not read. Text is counted in UTF-16 units, at no cost: outside ASCII
   * that number is less than its UTF-8 bytes, and close to its size in memory.
   */
  readonly bufferedBytes: number;
}

/** Whether `text` takes more than `maximum` UTF-8 bytes; counts only when the answer is not obvious. */
function isLonger(text: string, maximum: number): boolean {
  if (text.length * 3 <= maximum) return false;
  return text.length > maximum || utf8Length(text) > maximum;
}

/**
 * Reads records that end in {@link RECORD_SEPARATOR}. Binary chunks are read as UTF-8. Every character is
 * looked at once, even if the chunks are small.
 */
export class TextFrameReader implements FrameReader {
  readonly #maximum: number | null;
  #decoder: TextDecoder | undefined;
  /** Text that was pushed and not looked at. Made when needed, as `#begun`: few clients send pieces. */
  #incoming: TextQueue | undefined;
  /** The beginning of a record whose end has not come. */
  #begun: TextQueue | undefined;
  #begunBytes = 0;
  #text = "";
  #start = 0;

  constructor(maximumBytes: number | null) {
    this.#maximum = maximumBytes;
  }

  get bufferedBytes(): number {
    const here = this.#text.length - this.#start;
    return (this.#begun?.length ?? 0) + here + (this.#incoming?.length ?? 0);
  }

  push(chunk: TextOrBytes): void {
    const text = typeof chunk === "string" ? this.#cutOff() + chunk : this.#decode(chunk);
    // Nearly always a chunk holds complete messages, and no text is waiting.
    if (this.bufferedBytes === 0) this.#text = text;
    else (this.#incoming ??= new TextQueue()).push(text);
  }

  read(): string | undefined {
    for (;;) {
      const end = this.#text.indexOf(RECORD_SEPARATOR, this.#start);
      if (end >= 0) return this.#record(end);
      if (this.#start < this.#text.length) this.#begin();
      if (this.#incoming === undefined) break;
      this.#text = this.#incoming.take();
      this.#incoming = undefined;
    }
    // The record is incomplete: refuse it as soon as it is too long.
    if (this.#maximum !== null && this.#begunBytes > this.#maximum) {
      throw messageTooLarge(this.#maximum);
    }
    return undefined;
  }

  dropPartial(): void {
    const text = this.#text.slice(this.#start) + (this.#incoming?.take() ?? "");
    this.#incoming = undefined;
    this.#text = text.slice(0, text.lastIndexOf(RECORD_SEPARATOR) + 1);
    this.#start = 0;
    if (this.#text === "") this.#takeBegun();
    this.#decoder = undefined;
  }

  /** The record that ends at `end`. */
  #record(end: number): string {
    const begunBytes = this.#begunBytes;
    const last = this.#text.slice(this.#start, end);
    const record = this.#takeBegun() + last;
    this.#start = end + 1;
    // An idle connection keeps no text that it has read.
    if (this.#start === this.#text.length) {
      this.#text = "";
      this.#start = 0;
    }
    if (this.#maximum !== null && isLonger(last, this.#maximum - 1 - begunBytes)) {
      throw messageTooLarge(this.#maximum);
    }
    return record;
  }

  /** Keeps the beginning of a record; the text has no separator. */
  #begin(): void {
    const rest = this.#text.slice(this.#start);
    this.#text = "";
    this.#start = 0;
    (this.#begun ??= new TextQueue()).push(rest);
    this.#begunBytes += utf8Length(rest);
  }

  #takeBegun(): string {
    const begun = this.#begun?.take() ?? "";
    this.#begun = undefined;
    this.#begunBytes = 0;
    return begun;
  }

  #decode(bytes: Uint8Array): string {
    this.#decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    return this.#decoder.decode(bytes, { stream: true });
  }

  /** The replacement for a character that earlier bytes have begun and a text has cut off. */
  #cutOff(): string {
    return this.#decoder?.decode() ?? "";
  }
}

/** The refusal of a message over the limit; upstream names its own option. */
export function messageTooLarge(maximumBytes: number): ProtocolError {
  return new ProtocolError(
    `The maximum message size of ${maximumBytes}B was exceeded. ` +
      "The message size can be configured with maximumReceiveMessageSize.",
  );
}
