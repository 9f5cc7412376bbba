/**
 * The values that can be sent to clients, the same in every protocol, and the values that clients send.
 *
 * | value | JSON | MessagePack |
 * |---|---|---|
 * | `Uint8Array` | base64 string | bin |
 * | `Date` | ISO 8601 text | timestamp extension −1 |
 * | `undefined` in an array | `null` | nil |
 * | `undefined` in an object | left out | left out |
 * | `bigint` within ±2^53 | number | integer |
 * | an object with `toJSON` | the result of `toJSON` | the result of `toJSON` |
 *
 * Lone surrogates in a text or a key become U+FFFD. These are a `TypeError`: `NaN` and infinities, larger
 * `bigint`s, functions, symbols, `Map`, `Set`, `Promise` (a forgotten `await`), `Error`, `RegExp`, other
 * buffers and views, invalid dates, and nesting deeper than 64 (so are cycles).
 *
 * JSON from clients is read by `JSON.parse`. MessagePack from clients becomes:
 *
 * | MessagePack | value |
 * |---|---|
 * | integer within ±2^53 | `number` |
 * | larger integer | `bigint` |
 * | float | `number`, also `NaN` and infinities |
 * | bin | `Uint8Array`, a copy |
 * | timestamp extension −1 | `Date`; fractions of a millisecond are cut off |
 * | map with text or number keys | object |
 *
 * Text that is not UTF-8, other extensions, other keys, the key `__proto__`, dates out of range and
 * nesting deeper than 64 fail the call, the upload or the client result that contains them, not the
 * connection.
 *
 * @module
 */
import { MAXIMUM_DEPTH } from "./json/json_text.ts";
import { bufferOf } from "./pack/utf8.ts";

/**
 * The JSON text of `value`; `undefined` is `null`.
 *
 * @throws {TypeError} if the value cannot be sent.
 */
export function toJson(value: unknown): string {
  const plain = isPlain(value, 0)
    ? value
    : convert(value, (bytes) => bufferOf(bytes).toString("base64"), 0);
  return JSON.stringify(plain) ?? "null";
}

/**
 * `value` for `PackWriter.value()`: with `toJSON` applied and `bigint` as number.
 *
 * @throws {TypeError} if the value cannot be sent.
 */
export function toPackable(value: unknown): unknown {
  return isPlain(value, 0) ? value : convert(value, (bytes) => bytes, 0);
}

/**
 * Checks that `value` can be sent in every protocol.
 *
 * @throws {TypeError} if it cannot be sent.
 */
export function checkSerializable(value: unknown): void {
  if (!isPlain(value, 0)) convert(value, (bytes) => bytes, 0);
}

/** Whether both protocols can write `value` without a copy. The usual case: allocates nothing. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      return value.isWellFormed();
    case "boolean":
    case "undefined":
      return true;
    case "number":
      if (Number.isFinite(value)) return true;
      throw refusal(`${value}`);
    case "object":
      return value === null || isPlainObject(value, depth + 1);
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (depth > MAXIMUM_DEPTH) throw refusal("a value that is circular or nested deeper than 64");
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item, depth)) return false;
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return value instanceof Date && !Number.isNaN(value.getTime());
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return false;
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return false;
    if (!isPlain((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
}

/** A copy of `value` in which all values are plain. */
function convert(value: unknown, bytes: (bytes: Uint8Array) => unknown, depth: number): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw refusal(`${value}n, beyond 2^53`);
  }
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "function" || typeof value === "symbol") throw refusal(`a ${typeof value}`);
  if (typeof value !== "object" || value === null) {
    isPlain(value, depth);
    return value;
  }
  if (depth >= MAXIMUM_DEPTH) throw refusal("a value that is circular or nested deeper than 64");
  if (value instanceof Uint8Array) return bytes(value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refusal("an invalid Date");
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, bytes, depth + 1));
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return convert(toJSON.call(value, ""), bytes, depth + 1);
  if (isOpaque(value)) throw refusal(`a ${value.constructor.name}`);
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) {
    copy[key.toWellFormed()] = convert((value as Record<string, unknown>)[key], bytes, depth + 1);
  }
  return copy;
}

/** Whether the content of an object is not in its properties: the object would silently become `{}`. */
function isOpaque(value: object): boolean {
  return value instanceof Map || value instanceof Set || value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value) || value instanceof Promise || value instanceof Error ||
    value instanceof RegExp;
}

function refusal(what: string): TypeError {
  return new TypeError(`Cannot serialise ${what}`);
}
