import { type Buffer, isUtf8 } from "node:buffer";
import { bufferOf } from "./utf8.ts";

/** A text of at most this many bytes is read byte by byte: calling the decoder costs more. */
const SHORT_TEXT = 8;
/** A key of at most this many bytes is remembered. */
const SHORT_KEY = 32;

/** The last ASCII key of each hash: clients send the same few keys again and again. */
const keys: string[] = new Array(256).fill("");

/** The bytes break the format. */
export class PackError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PackError";
  }
}

/** Bytes that are read from front to back; reading past the end throws {@link PackError}. */
export class PackInput {
  readonly bytes: Uint8Array;
  /** The offset of the next byte. */
  at = 0;
  #view: DataView | undefined;
  #buffer: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw endsEarly();
    return byte;
  }

  /** An unsigned integer of 1, 2 or 4 bytes. */
  unsigned(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.byte();
    return value;
  }

  /** A floating-point number of 4 or 8 bytes. */
  float(bytes: 4 | 8): number {
    const { buffer, byteOffset, length } = this.bytes;
    const view = this.#view ??= new DataView(buffer, byteOffset, length);
    const start = this.#skip(bytes);
    return bytes === 4 ? view.getFloat32(start) : view.getFloat64(start);
  }

  /** A view of the bytes, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.bytes.subarray(start, this.at);
  }

  /** A text of so many bytes, or `undefined` if they are not UTF-8. A byte order mark is kept. */
  text(length: number): string | undefined {
    return this.#text(this.#skip(length), this.at);
  }

  /** A text in which broken bytes are U+FFFD, and half of a surrogate pair is one U+FFFD. */
  anyText(length: number): string {
    const start = this.#skip(length);
    return this.#text(start, this.at) ?? mended(this.bytes.slice(start, this.at));
  }

  /** Reads the same as {@link anyText}; faster for a text that was read before. */
  key(length: number): string {
    if (length > SHORT_KEY) return this.anyText(length);
    const start = this.#skip(length);
    let hash = length;
    for (let i = start; i < this.at; i++) hash = Math.imul(hash, 31) + (this.bytes[i] ?? 0);
    const slot = (hash ^ hash >>> 8) & 0xff;
    const known = keys[slot] ?? "";
    if (known.length === length && this.#isAt(start, known)) return known;
    this.at = start;
    const key = this.anyText(length);
    // Only a key of as many characters as bytes can be found again.
    if (key.length === length) keys[slot] = key;
    return key;
  }

  #text(start: number, end: number): string | undefined {
    if (end - start <= SHORT_TEXT) {
      const text = this.#ascii(start, end);
      if (text !== undefined) return text;
    }
    const text = (this.#buffer ??= bufferOf(this.bytes)).toString("utf8", start, end);
    // U+FFFD stands for broken bytes, unless the character itself was sent.
    return text.includes("\ufffd") && !isUtf8(this.bytes.subarray(start, end)) ? undefined : text;
  }

  #ascii(start: number, end: number): string | undefined {
    let text = "";
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i] ?? 0;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #isAt(start: number, ascii: string): boolean {
    for (let i = 0; i < ascii.length; i++) {
      if (ascii.charCodeAt(i) !== this.bytes[start + i]) return false;
    }
    return true;
  }

  /** Moves past the next bytes; returns where they start. */
  #skip(length: number): number {
    const start = this.at;
    if (start + length > this.bytes.length) throw endsEarly();
    this.at = start + length;
    return start;
  }
}

/** The text of bytes that are not UTF-8. JavaScript clients write half of a surrogate pair as three bytes. */
function mended(bytes: Uint8Array): string {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    if ((second & 0xe0) === 0xa0 && (third & 0xc0) === 0x80) bytes.set(REPLACEMENT, at);
  }
  return bufferOf(bytes).toString();
}

/** U+FFFD in UTF-8. */
const REPLACEMENT = new Uint8Array([0xef, 0xbf, 0xbd]);

function endsEarly(): PackError {
  return new PackError("Cannot read payload: it ends too early");
}
