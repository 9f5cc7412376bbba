/**
 * Decodes the values that clients send in MessagePack, with limits that the codec does not have.
 *
 * @module
 */
import { Decoder, decodeTimestampToTimeSpec, EXT_TIMESTAMP } from "@msgpack/msgpack";
import { MAXIMUM_DEPTH } from "../json/json_text.ts";
import { endOfValue, isContainer, type PackVisitor } from "./extent.ts";
import { PackWriter } from "./writer.ts";

/** Stands for a value that was sent and cannot be read. Whoever waits for the value gets an error. */
export class UnreadableValue {
  /** Why it cannot be read. */
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

const extensionCodec = {
  tryToEncode: () => null,
  decode(content: Uint8Array, type: number): Date {
    if (type !== EXT_TIMESTAMP) throw new RangeError(`Cannot read extension: ${type} is not known`);
    const { sec, nsec } = decodeTimestampToTimeSpec(content);
    // Cut off and not rounded: DateTime.MaxValue is no date of the year 10000.
    const date = new Date(sec * 1000 + Math.floor(nsec / 1e6));
    if (!Number.isNaN(date.getTime())) return date;
    throw new RangeError("Cannot read timestamp: it is out of range");
  },
};

const textDecoder = new TextDecoder("utf-8", { fatal: true });
const decoder = new Decoder({ extensionCodec });
const wideDecoder = new Decoder({ extensionCodec, useBigInt64: true, mapKeyConverter: toKey });

/** A number is a key in every width that it may be written in. */
function toKey(key: unknown): string | number {
  const settled = settle(key, 0);
  if (typeof settled === "string" || typeof settled === "number") return settled;
  throw new RangeError(`Cannot read key: it is a ${typeof key}`);
}

/**
 * The value in `bytes`, which must be one whole value. `values.ts` says what becomes what. Bytes in it
 * are copies, so that who keeps some does not keep the whole message.
 *
 * @throws {Error} if it nests deeper than `depth`, or holds text that is not UTF-8, an extension that is
 * no timestamp, a timestamp that no `Date` has, or a key that is neither a string nor a number, or is
 * `__proto__`.
 */
export function decodeValue(bytes: Uint8Array, depth: number = MAXIMUM_DEPTH): unknown {
  const { wide, binary, containers, marked } = look(bytes);
  const readable = marked.length === 0 ? bytes : markedTwice(bytes, marked);
  const value = (wide ? wideDecoder : decoder).decode(readable);
  return wide || binary || containers > depth ? settle(value, depth) : value;
}

/** The longest text that the codec reads without a `TextDecoder`, which drops a byte order mark. */
const UNDECODED_BYTES = 200;
const MARK = [0xef, 0xbb, 0xbf] as const;

/** Where the bytes of a text are. */
interface Place {
  readonly form: number;
  readonly start: number;
  readonly end: number;
}

/** `bytes` with the byte order mark of those texts doubled: the codec drops one. */
function markedTwice(bytes: Uint8Array, texts: readonly Place[]): Uint8Array {
  const writer = new PackWriter();
  let from = 0;
  for (const { form, start, end } of texts) {
    const length = 1 << (form - 0xd9);
    writer.raw(bytes.subarray(from, start - length - 1));
    writer.head32(0xdb, end - start + MARK.length);
    writer.raw(new Uint8Array(MARK));
    writer.raw(bytes.subarray(start, end));
    from = end;
  }
  writer.raw(bytes.subarray(from));
  return writer.finish().slice();
}

/** What a value holds. */
class Content implements PackVisitor {
  /** Integers of 64 bits. */
  wide = false;
  /** Bytes. */
  binary = false;
  containers = 0;
  /** Long texts that begin with a byte order mark. */
  readonly marked: Place[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  visit(form: number, start: number, end: number): void {
    if (isContainer(form)) this.containers++;
    else if (form < 0xc0 || form >= 0xd9) this.#text(form, start, end);
    else if (form === 0xcf || form === 0xd3) this.wide = true;
    else if (form >= 0xc4 && form <= 0xc6) this.binary = true;
  }

  #text(form: number, start: number, end: number): void {
    if (end - start > UNDECODED_BYTES && MARK.every((byte, i) => this.#bytes[start + i] === byte)) {
      this.marked.push({ form, start, end });
    }
    this.#checkText(start, end);
  }

  /** Of broken text the codec makes something that depends on what it has read before. */
  #checkText(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if ((this.#bytes[i] ?? 0) >= 0x80) {
        textDecoder.decode(this.#bytes.subarray(i, end));
        return;
      }
    }
  }
}

function look(bytes: Uint8Array): Content {
  const content = new Content(bytes);
  endOfValue(bytes, 0, content);
  return content;
}

/** Makes numbers of all integers that a number can hold, and copies of bytes; changes containers in place. */
function settle(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (depth === 0) throw new RangeError("Cannot read value: it is nested too deep");
  const container = value as Record<string, unknown>;
  for (const key of Object.keys(container)) container[key] = settle(container[key], depth - 1);
  return container;
}
