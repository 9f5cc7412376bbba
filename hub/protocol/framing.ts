import { type TextOrBytes, utf8Length } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";
import { TextQueue } from "./text_queue.ts";

/** Ends every record of a text protocol, and the handshake of every protocol. */
export const RECORD_SEPARATOR = "\x1e";

/** Cuts a stream of chunks into records; chunk boundaries have no meaning. */
export interface FrameReader {
  /** Adds what arrived. */
  push(chunk: TextOrBytes): void;
  /**
   * The next whole record without its framing, or `undefined` until more arrives.
   *
   * @throws {ProtocolError} if a record is, or is going to be, larger than allowed.
   */
  read(): TextOrBytes | undefined;
  /** Forgets the beginning of a record whose rest will never come. */
  dropPartial(): void;
  /**
   * How much was pushed and not read, in bytes. A text is counted by its UTF-16 units, at no cost:
   * outside ASCII that is less than its UTF-8 bytes, and close to what it takes in memory.
   */
  readonly bufferedBytes: number;
}

/** Whether `text` takes more than `maximum` UTF-8 bytes; counts only when the answer is not obvious. */
function isLonger(text: string, maximum: number): boolean {
  if (text.length * 3 <= maximum) return false;
  return text.length > maximum || utf8Length(text) > maximum;
}

/**
 * Records that end in {@link RECORD_SEPARATOR}. Binary chunks are read as UTF-8. Every character is
 * looked at once, however small the chunks are.
 */
export class TextFrameReader implements FrameReader {
  readonly #maximum: number | null;
  #decoder: TextDecoder | undefined;
  /** What was pushed and not looked at. Made when it is needed, as the next: few clients send pieces. */
  #incoming: TextQueue | undefined;
  /** The beginning of a record whose end is not in sight. */
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
    // Nearly always a chunk is whole messages, and comes when nothing waits.
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
    // Not whole yet: refuse it as soon as it cannot become small enough.
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
    // An idle connection keeps nothing of what it has read.
    if (this.#start === this.#text.length) {
      this.#text = "";
      this.#start = 0;
    }
    if (this.#maximum !== null && isLonger(last, this.#maximum - 1 - begunBytes)) {
      throw messageTooLarge(this.#maximum);
    }
    return record;
  }

  /** What is left of the text has no end in it. */
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

  /** What a text finds of a character that bytes before it have begun. */
  #cutOff(): string {
    return this.#decoder?.decode() ?? "";
  }
}

/** The refusal of a message over the limit, in upstream's words. */
export function messageTooLarge(maximumBytes: number): ProtocolError {
  return new ProtocolError(
    `The maximum message size of ${maximumBytes}B was exceeded. ` +
      "The message size can be configured in AddHubOptions.",
  );
}
