/**
 * The values that can be sent to clients, the same in every protocol, and the values that clients send.
 *
 * | value | JSON | MessagePack |
 * |---|---|---|
 * | `Uint8Array` | base64 string | bin |
 * | `Date` | ISO 8601 text, to the millisecond | timestamp extension −1 |
 * | `undefined` in an array | `null` | nil |
 * | `undefined` in an object | left out | left out |
 * | `bigint` within 64 bits | digits | integer |
 * | `NaN` and infinities in a result or a stream item | refused | float |
 * | an object with `toJSON` | the result of `toJSON` | the result of `toJSON` |
 *
 * Lone surrogates in a text or a key become U+FFFD. These are a `TypeError`: `NaN` and infinities where
 * JSON is written, larger `bigint`s, functions, symbols, `Map`, `Set`, `Promise` (a forgotten `await`),
 * `Error`, `RegExp`, other buffers and views, invalid dates, and nesting deeper than 64 (so are cycles).
 * The text names the place of the value.
 *
 * A client's JSON becomes what `JSON.parse` makes of it, except that integers beyond 2^53 are `bigint`s
 * (integers beyond 64 bits stay numbers) and lone surrogates U+FFFD. MessagePack from clients becomes:
 *
 * | MessagePack | value |
 * |---|---|
 * | integer within ±2^53 | `number` |
 * | larger integer | `bigint` |
 * | float | `number`, also `NaN` and infinities |
 * | text | text; broken bytes and lone surrogates are U+FFFD |
 * | bin | `Uint8Array`, a copy |
 * | timestamp extension −1 | `Date`; fractions of a millisecond are cut off |
 * | map with text or number keys | object |
 *
 * Other extensions, other keys, the key `__proto__`, dates out of range and nesting deeper than 64 fail
 * the call, the upload or the client result that contains them, not the connection.
 *
 * @module
 */
import { MAXIMUM_DEPTH } from "./json/json_text.ts";
import { rawInteger } from "./json/long_integers.ts";
import { bufferOf } from "./pack/utf8.ts";
import { pathText } from "./value_path.ts";

/**
 * The JSON text of `value`; `undefined` is `null`. Errors call the value `name`.
 *
 * @throws {TypeError} if the value cannot be sent.
 */
export function toJson(value: unknown, name: string): string {
  return JSON.stringify(isPlain(value, 0) ? value : converted(value, name, JSON_FORM)) ?? "null";
}

/**
 * `value` for `PackWriter.value()`, with `toJSON` applied. Errors call the value `name`.
 *
 * @throws {TypeError} if the value cannot be sent.
 */
export function toPackable(value: unknown, name: string): unknown {
  return isPlain(value, 0) ? value : converted(value, name, PACK_FORM);
}

/**
 * Checks that `value` can be sent in every protocol. Errors call the value `name`.
 *
 * @throws {TypeError} if it cannot be sent.
 */
export function checkSerializable(value: unknown, name: string): void {
  if (!isPlain(value, 0)) converted(value, name, JSON_FORM);
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
      return Number.isFinite(value);
    case "object":
      return value === null || isPlainObject(value, depth + 1);
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (depth > MAXIMUM_DEPTH) return false;
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

/** The values that each protocol writes in its own way. */
interface Form {
  readonly bytes: (bytes: Uint8Array) => unknown;
  /** An integer of 64 bits that a number cannot hold. */
  readonly integer: (value: bigint) => unknown;
  /** Whether there are `NaN` and infinities. */
  readonly hasNaN: boolean;
}

const JSON_FORM: Form = {
  bytes: (bytes) => bufferOf(bytes).toString("base64"),
  integer: rawInteger,
  hasNaN: false,
};

const PACK_FORM: Form = { bytes: (bytes) => bytes, integer: (value) => value, hasNaN: true };

function converted(value: unknown, name: string, form: Form): unknown {
  return new Conversion(name, form).copy(value, 0);
}

/** Makes a copy of a value in which all values are plain, and knows the place that it has reached. */
class Conversion {
  readonly #name: string;
  readonly #form: Form;
  readonly #path: (string | number)[] = [];

  constructor(name: string, form: Form) {
    this.#name = name;
    this.#form = form;
  }

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "bigint":
        return this.#integer(value);
      case "string":
        return value.toWellFormed();
      case "number":
        if (Number.isFinite(value) || this.#form.hasNaN) return value;
        throw this.#refusal(`${value}`);
      case "function":
      case "symbol":
        throw this.#refusal(`a ${typeof value}`);
      case "object":
        return value === null ? null : this.#object(value, depth);
      default:
        return value;
    }
  }

  #integer(value: bigint): unknown {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return this.#form.integer(value);
    throw this.#refusal("an integer beyond 64 bits");
  }

  #object(value: object, depth: number): unknown {
    if (depth >= MAXIMUM_DEPTH) throw this.#refusal("circular or nested deeper than 64");
    if (value instanceof Uint8Array) return this.#form.bytes(value);
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw this.#refusal("an invalid Date");
      return value;
    }
    if (Array.isArray(value)) return value.map((item, i) => this.#member(i, item, depth));
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.copy(toJSON.call(value, ""), depth + 1);
    if (value instanceof Promise) throw this.#refusal("a Promise; an await is missing");
    if (isOpaque(value)) throw this.#refusal(withArticle(value.constructor.name));
    const copy: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(value)) {
      copy[key.toWellFormed()] = this.#member(key, (value as Record<string, unknown>)[key], depth);
    }
    return copy;
  }

  #member(key: string | number, value: unknown, depth: number): unknown {
    this.#path.push(key);
    const copy = this.copy(value, depth + 1);
    this.#path.pop();
    return copy;
  }

  #refusal(what: string): TypeError {
    return new TypeError(`Cannot serialise ${this.#name}${pathText(this.#path)}: it is ${what}`);
  }
}

/** Whether the content of an object is not in its properties: the object would silently become `{}`. */
function isOpaque(value: object): boolean {
  return value instanceof Map || value instanceof Set || value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value) || value instanceof Error || value instanceof RegExp;
}

function withArticle(noun: string): string {
  return `${/^[AEIOU]/.test(noun) ? "an" : "a"} ${noun}`;
}
