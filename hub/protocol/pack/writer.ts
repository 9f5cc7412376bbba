/**
 * Writes MessagePack without an intermediate value: the messages between nodes
 * (`specs/signalr-redis.md §3`) and the messages to clients. Every value has the smallest format, as upstream.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { writeText } from "./utf8.ts";

/** The largest buffer that is kept for the next writer, in bytes. */
const KEPT_BYTES = 64 * 1024;

/** The buffer that writers share, and the writer that holds it. */
let shared: Buffer = Buffer.alloc(4096);
let activeWriter: PackWriter | undefined;
/** Counts writers: as long as it is the same, the last writer's bytes are not overwritten. */
let generation = 0;

/**
 * Writes into a buffer that all writers share: allocating a buffer costs more than filling it. A writer
 * that is made while another one writes has its own buffer: a value's `toJSON` may send a message.
 */
export class PackWriter {
  #buffer: Buffer;
  #length = 0;

  constructor() {
    generation++;
    this.#buffer = activeWriter === undefined ? shared : Buffer.alloc(256);
    activeWriter ??= this;
  }

  /** The number of bytes that were written. */
  get length(): number {
    return this.#length;
  }

  /** The bytes that were written: a view that is valid until the next writer is made. */
  finish(): Uint8Array {
    this.release();
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset, this.#length);
  }

  /** Returns a function that copies the last `bytes` bytes, unless another writer was made since. */
  last(bytes: number): () => Uint8Array | undefined {
    const [buffer, end, own] = [this.#buffer, this.#length, generation];
    return () => own === generation ? new Uint8Array(buffer.subarray(end - bytes, end)) : undefined;
  }

  /** Gives the shared buffer back; must also be called when writing has failed. */
  release(): void {
    if (activeWriter !== this) return;
    activeWriter = undefined;
    shared = this.#buffer.length > KEPT_BYTES ? Buffer.alloc(KEPT_BYTES) : this.#buffer;
  }

  nil(): void {
    this.#put(0xc0);
  }

  array(length: number): void {
    this.#head(length, 0x90, 0xdc);
  }

  map(length: number): void {
    this.#head(length, 0x80, 0xde);
  }

  /** An integer from −2^31 to 2^53. */
  integer(value: number): void {
    if (value < 0x80 && value >= -32) this.#put(value);
    else if (value > 0xffffffff) this.#int64(true, Math.floor(value / 2 ** 32), value);
    else if (value > 0) this.#measured(0xcc, value);
    else if (value >= -0x80) this.#sized(0xd0, value, 1);
    else if (value >= -0x8000) this.#sized(0xd1, value, 2);
    else this.#sized(0xd2, value, 4);
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

  /** A value that `toPackable()` has returned. */
  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.string(value);
      case "number":
        return this.#number(value);
      case "bigint":
        return this.#int64(value > 0n, Number(value >> 32n), Number(value & 0xffffffffn));
      case "boolean":
        return this.#put(value ? 0xc3 : 0xc2);
      case "object":
        if (value !== null) return this.#object(value);
    }
    this.nil();
  }

  /** Inserts the length of everything behind `start` there, as the framing of the hub protocol wants. */
  prefix(start: number): void {
    const head: number[] = [];
    for (let rest = this.#length - start; rest > 0 || head.length === 0; rest >>>= 7) {
      head.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    }
    this.#makeRoom(start, head.length);
    this.#buffer.set(head, start);
  }

  /** Turns everything behind `start` into one value of type binary. */
  enclose(start: number): void {
    const bytes = this.#length - start;
    this.#makeRoom(start, headBytes(bytes, 0));
    this.#length = start;
    this.#measured(0xc4, bytes);
    this.#length += bytes;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.#put(0xcb);
      this.#reserve(8);
      this.#length = this.#buffer.writeDoubleBE(value, this.#length);
    } else if (value >= -0x80000000) this.integer(value);
    else this.#int64(false, Math.floor(value / 2 ** 32), value);
  }

  /** An integer of 64 bits in halves; as upstream, unsigned above zero. */
  #int64(positive: boolean, high: number, low: number): void {
    this.#sized(positive ? 0xcf : 0xd3, high, 4);
    this.#bytes(low, 4);
  }

  #object(value: object): void {
    if (Array.isArray(value)) {
      this.array(value.length);
      for (const item of value) this.value(item);
    } else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof Date) this.#timestamp(value);
    else this.#members(value as Record<string, unknown>);
  }

  /** An object; members that are undefined are left out. */
  #members(object: Record<string, unknown>): void {
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    this.map(keys.length);
    for (const key of keys) {
      this.string(key);
      this.value(object[key]);
    }
  }

  /** Extension −1, in the smallest of its three formats. */
  #timestamp(date: Date): void {
    const seconds = Math.floor(date.getTime() / 1000);
    const nanoseconds = (date.getTime() - seconds * 1000) * 1e6;
    const high = Math.floor(seconds / 2 ** 32);
    if (nanoseconds === 0 && high === 0) this.#sized(0xd6, 0xff, 1);
    else if (high >= 0 && high < 4) {
      this.#sized(0xd7, 0xff, 1);
      this.#bytes(nanoseconds * 4 + high, 4);
    } else {
      this.#sized(0xc7, 0x0cff, 2);
      this.#bytes(nanoseconds, 4);
      this.#bytes(high, 4);
    }
    this.#bytes(seconds, 4);
  }

  /** Makes `bytes` bytes free at `start`, and moves everything behind it. */
  #makeRoom(start: number, bytes: number): void {
    this.#reserve(bytes);
    this.#buffer.copyWithin(start + bytes, start, this.#length);
    this.#length += bytes;
  }

  /** A text behind its length, whose format is `narrow` or one of the next two. */
  #text(text: string, narrow: number, fixedBelow: number): void {
    this.#reserve(5 + text.length * 3);
    const start = this.#length;
    // Nearly every text is ASCII: then its bytes need not be moved.
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

  #head(length: number, fixed: number, wide: number): void {
    if (length < 16) this.#put(fixed | length);
    else if (length < 0x10000) this.#sized(wide, length, 2);
    else this.#sized(wide + 1, length, 4);
  }

  /** A length behind the format for its width: `narrow`, or one of the next two. */
  #measured(narrow: number, length: number): void {
    if (length < 0x100) this.#sized(narrow, length, 1);
    else if (length < 0x10000) this.#sized(narrow + 1, length, 2);
    else this.#sized(narrow + 2, length, 4);
  }

  #put(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = byte;
  }

  #sized(format: number, value: number, bytes: 1 | 2 | 4): void {
    this.#put(format);
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

/** The size of the head of a text of `length` bytes. */
function headBytes(length: number, fixedBelow: number): number {
  return length < fixedBelow ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}
