/**
 * Writes the few MessagePack forms that nodes exchange, without an intermediate value.
 * `specs/signalr-redis.md §3`.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Up to this length a text is copied by hand; calling the encoder costs more. */
const SHORT_TEXT = 64;
/** What the shared buffer keeps when something large is done. */
const KEPT_BYTES = 64 * 1024;

/** Where every writer writes: one at a time, begun and finished in one go. */
let scratch = new Uint8Array(4096);

/**
 * Writes smallest forms, into a buffer that all writers share: allocating one costs more than filling
 * it. So until what was written has been taken no other writer may be used.
 */
export class PackWriter {
  #length = 0;

  /** What was written: a view that is good until the next writer begins. */
  finish(): Uint8Array {
    const written = scratch.subarray(0, this.#length);
    if (scratch.length > KEPT_BYTES) scratch = new Uint8Array(KEPT_BYTES);
    return written;
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
    this.#reserve(content.length);
    scratch.set(content, this.#length);
    this.#length += content.length;
  }

  /** Bytes: `prefix`, then `content`. */
  binaryBehind(prefix: readonly number[], content: Uint8Array): void {
    const bytes = prefix.length + content.length;
    this.#measured(0xc4, bytes);
    this.#reserve(bytes);
    for (const byte of prefix) scratch[this.#length++] = byte;
    scratch.set(content, this.#length);
    this.#length += content.length;
  }

  /** A text behind its length, whose form is `narrow` or one of the two after it. */
  #text(text: string, narrow: number, fixedBelow: number): void {
    this.#reserve(5 + text.length * 3);
    const start = this.#length;
    // Nearly every text has a byte for each character: then it is in its place at once.
    const expected = headBytes(text.length, fixedBelow);
    const bytes = writeText(text, start + expected);
    const needed = headBytes(bytes, fixedBelow);
    if (needed !== expected) {
      scratch.copyWithin(start + needed, start + expected, start + expected + bytes);
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
    scratch[this.#length++] = byte;
  }

  #sized(form: number, value: number, bytes: 1 | 2 | 4): void {
    this.#reserve(5);
    scratch[this.#length++] = form;
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      scratch[this.#length++] = value >>> shift;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= scratch.length) return;
    const grown = new Uint8Array(Math.max(needed, scratch.length * 2));
    grown.set(scratch.subarray(0, this.#length));
    scratch = grown;
  }
}

/** The bytes before a text of that many bytes. */
function headBytes(length: number, fixedBelow: number): number {
  if (length < fixedBelow) return 1;
  if (length < 0x100) return 2;
  return length < 0x10000 ? 3 : 5;
}

/** Writes UTF-8 into the shared buffer, which has room; returns how many bytes. */
function writeText(text: string, at: number): number {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      scratch[at + i] = unit;
    }
    if (i === text.length) return i;
  }
  return encoder.encodeInto(text, scratch.subarray(at)).written;
}
