/**
 * Writes the few MessagePack forms that nodes exchange, without an intermediate value.
 * `specs/signalr-redis.md §3`.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Writes smallest forms into a buffer that grows. */
export class PackWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `sizeHint` is how many bytes are expected; more is no error. */
  constructor(sizeHint: number) {
    this.#bytes = new Uint8Array(sizeHint);
  }

  /** What was written; the writer must not be used after it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
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
    if (value < 0x100) return this.#sized(0xcc, value, 1);
    if (value < 0x10000) return this.#sized(0xcd, value, 2);
    this.#sized(0xce, value, 4);
  }

  string(text: string): void {
    const bytes = encoder.encode(text);
    if (bytes.length < 32) this.#put(0xa0 | bytes.length);
    else if (bytes.length < 0x100) this.#sized(0xd9, bytes.length, 1);
    else if (bytes.length < 0x10000) this.#sized(0xda, bytes.length, 2);
    else this.#sized(0xdb, bytes.length, 4);
    this.#append(bytes);
  }

  /** Bytes, or the UTF-8 bytes of a text. */
  binary(content: Uint8Array | string): void {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    if (bytes.length < 0x100) this.#sized(0xc4, bytes.length, 1);
    else if (bytes.length < 0x10000) this.#sized(0xc5, bytes.length, 2);
    else this.#sized(0xc6, bytes.length, 4);
    this.#append(bytes);
  }

  #head(length: number, fixed: number, below: number, wide: number): void {
    if (length < below) this.#put(fixed | length);
    else if (length < 0x10000) this.#sized(wide, length, 2);
    else this.#sized(wide + 1, length, 4);
  }

  #put(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #sized(form: number, value: number, bytes: 1 | 2 | 4): void {
    this.#reserve(5);
    this.#bytes[this.#length++] = form;
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      this.#bytes[this.#length++] = value >>> shift;
    }
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
