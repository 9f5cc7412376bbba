/**
 * Reads MessagePack: field by field where the layout is known (`specs/signalr-redis.md §3`), or any
 * value. Nothing is allocated for a length that a hostile peer only claims.
 *
 * @module
 */
import { endOfValue } from "./extent.ts";
import { PackError, PackInput } from "./input.ts";
import { readExtension } from "./values.ts";

export { PackError } from "./input.ts";
export { readText } from "./utf8.ts";

/** Reads one value after the other; every method throws {@link PackError} on a value of another type. */
export class PackReader {
  readonly #input: PackInput;

  constructor(bytes: Uint8Array) {
    this.#input = new PackInput(bytes);
  }

  /** The number of items that follow. */
  array(): number {
    const format = this.#input.byte();
    if ((format & 0xf0) === 0x90) return format & 0x0f;
    if (format === 0xdc || format === 0xdd) return this.#input.unsigned(2 << (format - 0xdc));
    throw unexpected("array", format);
  }

  /** The number of pairs that follow. */
  map(): number {
    const format = this.#input.byte();
    if ((format & 0xf0) === 0x80) return format & 0x0f;
    if (format === 0xde || format === 0xdf) return this.#input.unsigned(2 << (format - 0xde));
    throw unexpected("map", format);
  }

  /** An integer within ±2^53. */
  integer(): number {
    const value = this.int64();
    if (Number.isSafeInteger(value)) return value;
    throw new PackError("Cannot read payload: an integer is beyond 2^53");
  }

  /** A signed integer of 64 bits; beyond 2^53 the nearest number. */
  int64(): number {
    const format = this.#input.byte();
    if (format === 0xcf && (this.#next() ?? 0) >= 0x80) {
      throw new PackError("Cannot read payload: an integer is beyond 2^63");
    }
    return this.#integer(format);
  }

  string(): string {
    const text = this.#input.text(this.#stringLength(this.#input.byte()));
    if (text !== undefined) return text;
    throw new PackError("Cannot read payload: a string is not UTF-8");
  }

  /** A string, or `undefined` for nil. */
  optionalString(): string | undefined {
    if (!this.isNil()) return this.string();
    this.#input.at++;
    return undefined;
  }

  /** A view of the bytes, not a copy. */
  binary(): Uint8Array {
    return this.#binary(this.#input.byte());
  }

  boolean(): boolean {
    const format = this.#input.byte();
    if (format === 0xc2 || format === 0xc3) return format === 0xc3;
    throw unexpected("boolean", format);
  }

  /** Whether the next value is nil. */
  isNil(): boolean {
    return this.#next() === 0xc0;
  }

  /** Whether the next value is an array. */
  isArray(): boolean {
    const format = this.#input.byte();
    this.#input.at--;
    return (format & 0xf0) === 0x90 || format === 0xdc || format === 0xdd;
  }

  /**
   * The next value, whose arrays and maps nest at most `depth` deep; `protocol/values.ts` says what each
   * type becomes. Bytes are copied: a view would keep the whole message in memory.
   *
   * @throws {PackError} if the value is cut off or malformed.
   * @throws {RangeError} if the value is whole but cannot be read; the reader is then behind the value.
   */
  any(depth: number): unknown {
    const start = this.#input.at;
    try {
      return this.#any(depth);
    } catch (error) {
      if (error instanceof PackError) throw error;
      const end = endOfValue(this.#input.bytes, start);
      if (end === undefined) throw malformed();
      this.#input.at = end;
      throw error;
    }
  }

  #any(depth: number): unknown {
    const format = this.#input.byte();
    if (format < 0x80) return format;
    if (format < 0x90) return this.#members(format & 0x0f, depth);
    if (format < 0xa0) return this.#items(format & 0x0f, depth);
    if (format < 0xc0) return this.#input.anyText(this.#stringLength(format));
    if (format >= 0xe0) return format - 0x100;
    if (format >= 0xde) return this.#members(this.#input.unsigned(2 << (format - 0xde)), depth);
    if (format >= 0xdc) return this.#items(this.#input.unsigned(2 << (format - 0xdc)), depth);
    if (format >= 0xd9) return this.#input.anyText(this.#stringLength(format));
    if (format >= 0xd4) return this.#extension(1 << (format - 0xd4));
    if (format >= 0xcc) return this.#exactInteger(format);
    if (format >= 0xca) return this.#input.float(format === 0xca ? 4 : 8);
    if (format >= 0xc7) return this.#extension(this.#input.unsigned(1 << (format - 0xc7)));
    if (format >= 0xc4) return new Uint8Array(this.#binary(format));
    if (format === 0xc1) throw malformed();
    return format === 0xc0 ? null : format === 0xc3;
  }

  /** The array grows as its items are read: `count` is only a claim. */
  #items(count: number, depth: number): unknown[] {
    if (depth === 0) throw tooDeep();
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.#any(depth - 1));
    return items;
  }

  #members(count: number, depth: number): Record<string, unknown> {
    if (depth === 0) throw tooDeep();
    const members: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.#key();
      members[key] = this.#any(depth - 1);
    }
    return members;
  }

  #key(): string | number {
    if (!isString(this.#next() ?? 0)) {
      const key = this.#any(0);
      if (typeof key === "number") return key;
      if (typeof key === "bigint") return `${key}`;
      throw new RangeError("Cannot read key: it is neither a string nor a number");
    }
    const key = this.#input.key(this.#stringLength(this.#input.byte()));
    if (key !== "__proto__") return key;
    throw new RangeError("Cannot read key: it is __proto__");
  }

  #extension(length: number): Date {
    const type = this.#input.byte() << 24 >> 24;
    return readExtension(type, this.#input.take(length));
  }

  #exactInteger(format: number): number | bigint {
    const value = this.#integer(format);
    if (Number.isSafeInteger(value)) return value;
    const { bytes: { buffer, byteOffset }, at } = this.#input;
    const view = new DataView(buffer, byteOffset + at - 8, 8);
    return format === 0xcf ? view.getBigUint64(0) : view.getBigInt64(0);
  }

  #integer(format: number): number {
    if (format < 0x80) return format;
    if (format >= 0xe0) return format - 0x100;
    if (format >= 0xcc && format <= 0xce) return this.#input.unsigned(1 << (format - 0xcc));
    switch (format) {
      case 0xcf:
        return this.#input.unsigned(4) * 2 ** 32 + this.#input.unsigned(4);
      case 0xd0:
        return this.#input.unsigned(1) << 24 >> 24;
      case 0xd1:
        return this.#input.unsigned(2) << 16 >> 16;
      case 0xd2:
        return this.#input.unsigned(4) | 0;
      case 0xd3:
        return (this.#input.unsigned(4) | 0) * 2 ** 32 + this.#input.unsigned(4);
      default:
        throw unexpected("integer", format);
    }
  }

  #binary(format: number): Uint8Array {
    if (format < 0xc4 || format > 0xc6) throw unexpected("binary", format);
    return this.#input.take(this.#input.unsigned(1 << (format - 0xc4)));
  }

  #stringLength(format: number): number {
    if (!isString(format)) throw unexpected("string", format);
    return format < 0xc0 ? format & 0x1f : this.#input.unsigned(1 << (format - 0xd9));
  }

  #next(): number | undefined {
    return this.#input.bytes[this.#input.at];
  }
}

function isString(format: number): boolean {
  return (format & 0xe0) === 0xa0 || (format >= 0xd9 && format <= 0xdb);
}

function malformed(): PackError {
  return new PackError("Cannot read payload: a value is malformed");
}

function tooDeep(): RangeError {
  return new RangeError("Cannot read value: it is nested too deep");
}

function unexpected(wanted: string, format: number): PackError {
  return new PackError(
    `Cannot read payload: 0x${format.toString(16)} where ${wanted} was expected`,
  );
}
