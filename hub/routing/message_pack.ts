/**
 * The few MessagePack forms that nodes exchange, read and written without an intermediate value:
 * receivers hand on the bytes of a frame as they are. `specs/signalr-redis.md §3`.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A payload from another node breaks the format. */
export class EnvelopeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EnvelopeError";
  }
}

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

/** Reads one value after the other; every method throws {@link EnvelopeError} on another form. */
export class PackReader {
  readonly #bytes: Uint8Array;
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

  integer(): number {
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
      default:
        throw unexpected("integer of at most 32 bits", form);
    }
  }

  string(): string {
    const form = this.#byte();
    const bytes = this.#take(this.#stringLength(form));
    try {
      return decoder.decode(bytes);
    } catch {
      throw new EnvelopeError("Cannot read payload: a string is not UTF-8");
    }
  }

  /** A string, or `undefined` for nil. */
  optionalString(): string | undefined {
    if (this.#bytes[this.#at] !== 0xc0) return this.string();
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
    if (byte === undefined) throw new EnvelopeError("Cannot read payload: it ends too early");
    return byte;
  }

  #number(bytes: 1 | 2 | 4): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#byte();
    return value;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new EnvelopeError("Cannot read payload: it ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function unexpected(wanted: string, form: number): EnvelopeError {
  return new EnvelopeError(
    `Cannot read payload: 0x${form.toString(16)} where ${wanted} was expected`,
  );
}
