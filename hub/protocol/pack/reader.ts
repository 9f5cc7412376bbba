/**
 * Reads MessagePack form by form: receivers hand on the bytes of a frame as they are, and nothing is
 * allocated for a length that a hostile peer only claims. `specs/signalr-redis.md §3`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { endOfValue } from "./extent.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes break the format. */
export class PackError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PackError";
  }
}

/** Reads one value after the other; every method throws {@link PackError} on another form. */
export class PackReader {
  readonly #bytes: Uint8Array;
  #buffer: Buffer | undefined;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  array(): number {
    const form = this.#byte();
    if ((form & 0xf0) === 0x90) return form & 0x0f;
    if (form === 0xdc) return this.#number(2);
    if (form === 0xdd) return this.#number(4);
    throw unexpected("array", form);
  }

  map(): number {
    const form = this.#byte();
    if ((form & 0xf0) === 0x80) return form & 0x0f;
    if (form === 0xde) return this.#number(2);
    if (form === 0xdf) return this.#number(4);
    throw unexpected("map", form);
  }

  /** An integer within ±2^53. */
  integer(): number {
    const value = this.int64();
    if (Number.isSafeInteger(value)) return value;
    throw new PackError("Cannot read payload: an integer is beyond 2^53");
  }

  /** An integer that 64 bits with a sign can hold; beyond 2^53 the nearest number. */
  int64(): number {
    const form = this.#byte();
    if (form < 0x80) return form;
    if (form >= 0xe0) return form - 0x100;
    switch (form) {
      case 0xcc:
        return this.#number(1);
      case 0xcd:
        return this.#number(2);
      case 0xce:
        return this.#number(4);
      case 0xd0:
        return this.#number(1) << 24 >> 24;
      case 0xd1:
        return this.#number(2) << 16 >> 16;
      case 0xd2:
        return this.#number(4) | 0;
      case 0xcf:
        return positive(this.#number(4) | 0) * 2 ** 32 + this.#number(4);
      case 0xd3:
        return (this.#number(4) | 0) * 2 ** 32 + this.#number(4);
      default:
        throw unexpected("integer", form);
    }
  }

  string(): string {
    const length = this.#stringLength(this.#byte());
    const start = this.#at;
    const end = this.#at = this.#endOf(length);
    const text = (this.#buffer ??= bufferOf(this.#bytes)).toString("utf8", start, end);
    // What is not UTF-8 becomes this character; it may also stand there in its own right.
    if (text.includes("\ufffd")) checkUtf8(this.#bytes.subarray(start, end));
    return text;
  }

  /** A string, or `undefined` for nil. */
  optionalString(): string | undefined {
    if (!this.isNil()) return this.string();
    this.#at++;
    return undefined;
  }

  /** A view of the bytes, not a copy. */
  binary(): Uint8Array {
    const form = this.#byte();
    if (form === 0xc4) return this.#take(this.#number(1));
    if (form === 0xc5) return this.#take(this.#number(2));
    if (form === 0xc6) return this.#take(this.#number(4));
    throw unexpected("binary", form);
  }

  /** The bytes of the next value, whatever it is: a view, checked to be whole. */
  value(): Uint8Array {
    const end = endOfValue(this.#bytes, this.#at);
    if (end === undefined) throw new PackError("Cannot read payload: a value is malformed");
    return this.#take(end - this.#at);
  }

  /** Whether the next value is nil. */
  isNil(): boolean {
    return this.#bytes[this.#at] === 0xc0;
  }

  /** A boolean. */
  boolean(): boolean {
    const form = this.#byte();
    if (form === 0xc2 || form === 0xc3) return form === 0xc3;
    throw unexpected("boolean", form);
  }

  /** Whether the next value is an array. */
  isArray(): boolean {
    const form = this.#byte();
    this.#at--;
    return (form & 0xf0) === 0x90 || form === 0xdc || form === 0xdd;
  }

  #stringLength(form: number): number {
    if ((form & 0xe0) === 0xa0) return form & 0x1f;
    if (form === 0xd9) return this.#number(1);
    if (form === 0xda) return this.#number(2);
    if (form === 0xdb) return this.#number(4);
    throw unexpected("string", form);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new PackError("Cannot read payload: it ends too early");
    return byte;
  }

  #number(bytes: 1 | 2 | 4): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#byte();
    return value;
  }

  #take(length: number): Uint8Array {
    const end = this.#endOf(length);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #endOf(length: number): number {
    const end = this.#at + length;
    if (end <= this.#bytes.length) return end;
    throw new PackError("Cannot read payload: it ends too early");
  }
}

/** The text of UTF-8 bytes, U+FFFD for what is none; a `TextDecoder` takes many times longer. */
export function readText(bytes: Uint8Array): string {
  return bufferOf(bytes).toString();
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function checkUtf8(bytes: Uint8Array): void {
  try {
    decoder.decode(bytes);
  } catch {
    throw new PackError("Cannot read payload: a string is not UTF-8");
  }
}

function positive(value: number): number {
  if (value >= 0) return value;
  throw new PackError("Cannot read payload: an integer is beyond 2^63");
}

function unexpected(wanted: string, form: number): PackError {
  return new PackError(
    `Cannot read payload: 0x${form.toString(16)} where ${wanted} was expected`,
  );
}
