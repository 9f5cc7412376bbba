/**
 * Decodes the values that clients send in MessagePack, with limits that the codec does not have.
 *
 * @module
 */
import { Decoder, decodeTimestampToTimeSpec, EXT_TIMESTAMP } from "@msgpack/msgpack";
import { MAXIMUM_DEPTH } from "./json_text.ts";

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

const decoder = new Decoder({ extensionCodec });
const wideDecoder = new Decoder({ extensionCodec, useBigInt64: true });

/**
 * The value in `bytes`, which must be one whole value. `values.ts` says what becomes what. Bytes in it
 * are copies, so that who keeps some does not keep the whole message.
 *
 * @throws {Error} if it nests deeper than `depth`, or holds an extension that is no timestamp, a
 * timestamp that no `Date` has, or a key that is neither a string nor a number, or is `__proto__`.
 */
export function decodeValue(bytes: Uint8Array, depth: number = MAXIMUM_DEPTH): unknown {
  const { wide, plain } = look(bytes, depth);
  const value = (wide ? wideDecoder : decoder).decode(bytes);
  return plain ? value : settle(value, depth);
}

/** What the bytes may hold: each kind has first bytes of its own, which may also be part of others. */
function look(bytes: Uint8Array, depth: number): { wide: boolean; plain: boolean } {
  let wide = false;
  let binary = false;
  let containers = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80 || byte > 0xdf) continue;
    if (byte <= 0x9f || byte >= 0xdc) containers++;
    else if (byte === 0xcf || byte === 0xd3) wide = true;
    else if (byte >= 0xc4 && byte <= 0xc6) binary = true;
  }
  return { wide, plain: !wide && !binary && containers <= depth };
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
