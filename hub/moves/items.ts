/**
 * The `items` of a connection as bytes. They move if they consist of `null`, `undefined`, booleans, numbers,
 * `bigint`s of 64 bits, well-formed text, `Uint8Array`s, `Date`s, arrays, plain objects, and `Map`s whose
 * keys are no objects: then the copy at the new home is equal to the original. An object that is there twice
 * does not move, because the copy would be two objects.
 *
 * In MessagePack each value without members is itself. Any other value is an array whose first item says what
 * the value is: {@link Kind}.
 *
 * @module
 */
import { PackError, PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import { pathText } from "../protocol/value_path.ts";

/** How many bytes the items of a connection may have. */
const MAXIMUM_BYTES = 64 * 1024;
/** How deep they may nest. */
const MAXIMUM_DEPTH = 64;

/** The first item of an array; what follows is behind the colon. */
const Kind = {
  /** : the items. */
  Array: 0,
  /** : the keys and values, in turn. */
  Object: 1,
  /** : the keys and values, in turn. */
  Map: 2,
  /** : nothing. */
  Undefined: 3,
  /** : an integer. */
  BigInt: 4,
} as const;

/**
 * Writes the items of a connection.
 *
 * @throws {TypeError} if they cannot move; the text says which one, and nothing of its content.
 */
export function packItems(items: ReadonlyMap<unknown, unknown>): Uint8Array {
  const writing = new ItemsWriter();
  try {
    writing.value(items, 0);
  } finally {
    writing.writer.release();
  }
  return writing.writer.finish().slice();
}

/**
 * Reads what {@link packItems} has written.
 *
 * @throws {PackError} if it is malformed.
 */
export function unpackItems(bytes: Uint8Array): Map<unknown, unknown> {
  try {
    const items = read(new PackReader(bytes), MAXIMUM_DEPTH);
    if (items instanceof Map) return items;
  } catch (error) {
    // A value that the writer does not write, such as another extension.
    if (error instanceof RangeError) throw malformed();
    throw error;
  }
  throw malformed();
}

/** Writes one map of items, and knows the place that it has reached. */
class ItemsWriter {
  readonly writer = new PackWriter();
  readonly #path: PropertyKey[] = [];
  readonly #seen = new Set<object>();

  value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "undefined":
        return this.#begin(Kind.Undefined, 0);
      case "boolean":
      case "number":
        return this.#simple(value, 0);
      case "string":
        if (!value.isWellFormed()) throw this.#refusal("a text that is not well-formed");
        return this.#simple(value, value.length);
      case "bigint":
        if (BigInt.asIntN(64, value) !== value) throw this.#refusal("an integer beyond 64 bits");
        this.#begin(Kind.BigInt, 1);
        return this.#simple(value, 0);
      case "object":
        return value === null ? this.#simple(null, 0) : this.#object(value, depth);
      default:
        throw this.#refusal(`a ${typeof value}`);
    }
  }

  #object(value: object, depth: number): void {
    if (this.#seen.has(value)) throw this.#refusal("an object that is there twice");
    this.#seen.add(value);
    if (depth >= MAXIMUM_DEPTH) throw this.#refusal("nested deeper than 64");
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) return this.#array(value, depth);
    if (prototype === Map.prototype) return this.#map(value as Map<unknown, unknown>, depth);
    if (prototype === Uint8Array.prototype) {
      return this.#simple(value, (value as Uint8Array).length);
    }
    if (prototype === Date.prototype) {
      if (Number.isNaN((value as Date).getTime())) throw this.#refusal("an invalid Date");
      return this.#simple(value, 0);
    }
    if (prototype !== Object.prototype && prototype !== null) {
      const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
      throw this.#refusal(`an object of the class ${String(name)}`);
    }
    this.#members(value as Record<string, unknown>, depth);
  }

  #array(array: readonly unknown[], depth: number): void {
    if (Object.keys(array).length !== array.length) {
      throw this.#refusal("an array with holes or other members");
    }
    this.#begin(Kind.Array, array.length);
    for (const [index, item] of array.entries()) this.#member(index, item, depth);
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#begin(Kind.Map, 2 * map.size);
    for (const [key, value] of map) {
      if (typeof key === "object" && key !== null) {
        throw this.#refusal("a Map with objects as keys");
      }
      this.value(key, depth + 1);
      this.#member(typeof key === "string" ? key : String(key), value, depth);
    }
  }

  #members(object: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(object);
    if (Reflect.ownKeys(object).length !== keys.length || keys.includes("__proto__")) {
      throw this.#refusal("an object with hidden members");
    }
    this.#begin(Kind.Object, 2 * keys.length);
    for (const key of keys) {
      this.value(key, depth);
      this.#member(key, object[key], depth);
    }
  }

  #member(key: PropertyKey, value: unknown, depth: number): void {
    this.#path.push(key);
    this.value(value, depth + 1);
    this.#path.pop();
  }

  #begin(kind: number, items: number): void {
    this.writer.array(items + 1);
    this.writer.integer(kind);
    this.#checkSize(items);
  }

  /** Writes a value without members, of `bytes` bytes at least. */
  #simple(value: unknown, bytes: number): void {
    this.#checkSize(bytes);
    this.writer.value(value);
    this.#checkSize(0);
  }

  #checkSize(more: number): void {
    if (this.writer.length + more <= MAXIMUM_BYTES) return;
    throw new TypeError(`Cannot move items: they have more than ${MAXIMUM_BYTES} bytes`);
  }

  #refusal(what: string): TypeError {
    return new TypeError(`Cannot move items${pathText(this.#path)}: it is ${what}`);
  }
}

function read(reader: PackReader, depth: number): unknown {
  if (!reader.isArray()) return reader.any(0);
  const count = reader.array() - 1;
  const kind = reader.integer();
  if (kind === Kind.Undefined && count === 0) return undefined;
  if (kind === Kind.BigInt && count === 1) {
    const value = reader.any(0);
    if (typeof value === "bigint" || Number.isInteger(value)) return BigInt(value as bigint);
  }
  if (depth === 0) throw malformed();
  switch (kind) {
    case Kind.Array: {
      const items: unknown[] = [];
      for (let left = count; left > 0; left--) items.push(read(reader, depth - 1));
      return items;
    }
    case Kind.Map:
      return new Map(pairs(reader, count, depth));
    case Kind.Object:
      return Object.fromEntries(pairs(reader, count, depth).map(checkKey));
  }
  throw malformed();
}

function pairs(reader: PackReader, count: number, depth: number): [unknown, unknown][] {
  if (count % 2 !== 0) throw malformed();
  const pairs: [unknown, unknown][] = [];
  for (let left = count; left > 0; left -= 2) {
    const key = read(reader, depth - 1);
    if (typeof key === "object" && key !== null) throw malformed();
    pairs.push([key, read(reader, depth - 1)]);
  }
  return pairs;
}

function checkKey([key, value]: [unknown, unknown]): [string, unknown] {
  if (typeof key === "string" && key !== "__proto__") return [key, value];
  throw malformed();
}

function malformed(): PackError {
  return new PackError("Cannot read items: they are malformed");
}
