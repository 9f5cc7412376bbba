/**
 * Writes MessagePack without an intermediate value: what nodes exchange (`specs/signalr-redis.md §3`)
 * and what clients are sent. The forms are those of upstream, the smallest there are.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Up to this length a text is copied by hand; calling the encoder costs more. */
const SHORT_TEXT = 32;
/** What the shared buffer keeps when something large is done. */
const KEPT_BYTES = 64 * 1024;

/** Where writers write. */
let shared: Buffer = Buffer.alloc(4096);
/** Who does at the moment. */
let user: PackWriter | undefined;
/** How many writers were begun. */
let begun = 0;

/**
 * Writes into a buffer that all writers share: allocating one costs more than filling it. One that is
 * begun while another writes, by code of the application that a value runs, has a buffer of its own.
 */
export class PackWriter {
  #buffer: Buffer;
  #length = 0;

  constructor() {
    begun++;
    if (user === undefined) {
      user = this;
      this.#buffer = shared;
    } else {
      this.#buffer = Buffer.alloc(256);
    }
  }

  /** How much was written, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** What was written: a view that is good until the next writer begins. */
  finish(): Uint8Array {
    this.release();
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset, this.#length);
  }

  /** Copies the last `bytes` bytes that were written, if no other writer was begun by then. */
  last(bytes: number): () => Uint8Array | undefined {
    const [buffer, end, own] = [this.#buffer, this.#length, begun];
    return () => own === begun ? new Uint8Array(buffer.subarray(end - bytes, end)) : undefined;
  }

  /** Ends it where writing has failed; one that is forgotten keeps the shared buffer from all others. */
  release(): void {
    if (user !== this) return;
    user = undefined;
    shared = this.#buffer.length > KEPT_BYTES ? Buffer.alloc(KEPT_BYTES) : this.#buffer;
  }

  nil(): void {
    this.#put(0xc0);
  }

  array(length: number): void {
    this.#head(length, 0x90, 16, 0xdc);
  }

  map(length: number): void {
    this.#head(length, 0x80, 16, 0xde);
  }

  /** An integer from 0 to 2^32−1, or down to −2^31. */
  integer(value: number): void {
    if (value < 0) {
      if (value >= -32) return this.#put(value & 0xff);
      if (value >= -0x80) return this.#sized(0xd0, value & 0xff, 1);
      if (value >= -0x8000) return this.#sized(0xd1, value & 0xffff, 2);
      return this.#sized(0xd2, value >>> 0, 4);
    }
    if (value < 0x80) return this.#put(value);
    this.#measured(0xcc, value);
  }

  string(text: string): void {
    this.#text(text, 0xd9, 32);
  }

  /** Bytes, or the UTF-8 bytes of a text. */
  binary(content: Uint8Array | string): void {
    if (typeof content === "string") return this.#text(content, 0xc4, 0);
    this.#measured(0xc4, content.length);
    this.raw(content);
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A form and a length of four bytes, whether a smaller form would do or not. */
  head32(form: number, length: number): void {
    this.#sized(form, length, 4);
  }

  /** What {@link toPackable} gives. */
  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.string(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#put(value ? 0xc3 : 0xc2);
      case "object":
        if (value !== null) return this.#object(value);
    }
    this.nil();
  }

  /** Puts the length of what was written from `start` on before it, as clients are sent it. */
  prefix(start: number): void {
    const head: number[] = [];
    let rest = this.#length - start;
    do {
      head.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
      rest >>>= 7;
    } while (rest > 0);
    this.#makeRoom(start, head.length);
    this.#buffer.set(head, start);
  }

  /** Makes bytes, as {@link binary}, of what was written from `start` on. */
  enclose(start: number): void {
    const bytes = this.#length - start;
    this.#makeRoom(start, headBytes(bytes, 0));
    const end = this.#length;
    this.#length = start;
    this.#measured(0xc4, bytes);
    this.#length = end;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) return this.#wide(0xcb, (view) => view.setFloat64(0, value));
    if (value <= 0xffffffff && value >= -0x80000000) return this.integer(value);
    if (value > 0) this.#wide(0xcf, (view) => view.setBigUint64(0, BigInt(value)));
    else this.#wide(0xd3, (view) => view.setBigInt64(0, BigInt(value)));
  }

  #object(value: object): void {
    if (Array.isArray(value)) {
      this.array(value.length);
      for (const item of value) this.value(item);
    } else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof Date) this.#timestamp(value);
    else this.#members(value as Record<string, unknown>);
  }

  /** An object; what is undefined is left out. */
  #members(object: Record<string, unknown>): void {
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    this.map(keys.length);
    for (const key of keys) {
      this.string(key);
      this.value(object[key]);
    }
  }

  /** Extension −1, in the smallest of its three forms. */
  #timestamp(date: Date): void {
    const milliseconds = date.getTime();
    const seconds = Math.floor(milliseconds / 1000);
    const nanoseconds = (milliseconds - seconds * 1000) * 1e6;
    const small = seconds >= 0 && seconds < 2 ** 34;
    if (small && nanoseconds === 0 && seconds <= 0xffffffff) {
      this.#sized(0xd6, 0xff, 1);
      this.#bytes(seconds, 4);
    } else if (small) {
      this.#sized(0xd7, 0xff, 1);
      this.#bytes(nanoseconds * 4 + Math.floor(seconds / 2 ** 32), 4);
      this.#bytes(seconds, 4);
    } else {
      this.#sized(0xc7, 12, 1);
      this.#put(0xff);
      this.#bytes(nanoseconds, 4);
      this.#bytes(Math.floor(seconds / 2 ** 32), 4);
      this.#bytes(seconds, 4);
    }
  }

  /** Moves what was written from `start` on to leave `bytes` free there. */
  #makeRoom(start: number, bytes: number): void {
    this.#reserve(bytes);
    this.#buffer.copyWithin(start + bytes, start, this.#length);
    this.#length += bytes;
  }

  /** A form of eight bytes. */
  #wide(form: number, fill: (view: DataView) => void): void {
    this.#put(form);
    this.#reserve(8);
    fill(new DataView(this.#buffer.buffer, this.#buffer.byteOffset + this.#length, 8));
    this.#length += 8;
  }

  /** A text behind its length, whose form is `narrow` or one of the two after it. */
  #text(text: string, narrow: number, fixedBelow: number): void {
    this.#reserve(5 + text.length * 3);
    const start = this.#length;
    // Nearly every text has a byte for each character: then it is in its place at once.
    const expected = headBytes(text.length, fixedBelow);
    const bytes = writeText(text, this.#buffer, start + expected);
    const needed = headBytes(bytes, fixedBelow);
    if (needed !== expected) {
      this.#buffer.copyWithin(start + needed, start + expected, start + expected + bytes);
    }
    if (bytes < fixedBelow) this.#put(0xa0 | bytes);
    else this.#measured(narrow, bytes);
    this.#length += bytes;
  }

  #head(length: number, fixed: number, below: number, wide: number): void {
    if (length < below) this.#put(fixed | length);
    else if (length < 0x10000) this.#sized(wide, length, 2);
    else this.#sized(wide + 1, length, 4);
  }

  /** A length behind the form for its width: `narrow`, or one of the two after it. */
  #measured(narrow: number, length: number): void {
    if (length < 0x100) this.#sized(narrow, length, 1);
    else if (length < 0x10000) this.#sized(narrow + 1, length, 2);
    else this.#sized(narrow + 2, length, 4);
  }

  #put(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = byte;
  }

  #sized(form: number, value: number, bytes: 1 | 2 | 4): void {
    this.#put(form);
    this.#bytes(value, bytes);
  }

  /** The lowest bytes of an integer. */
  #bytes(value: number, bytes: 1 | 2 | 4): void {
    this.#reserve(4);
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      this.#buffer[this.#length++] = value >>> shift;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** The bytes before a text of that many bytes. */
function headBytes(length: number, fixedBelow: number): number {
  if (length < fixedBelow) return 1;
  if (length < 0x100) return 2;
  return length < 0x10000 ? 3 : 5;
}

/** Writes UTF-8 into `buffer`, which has room; returns how many bytes. */
function writeText(text: string, buffer: Buffer, at: number): number {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      buffer[at + i] = unit;
    }
    if (i === text.length) return i;
  }
  return buffer.write(text, at);
}
