/**
 * `PackReader.any()` beside the codec of the official client.
 *
 * @module
 */
import { Decoder, decodeTimestampToTimeSpec, encode } from "@msgpack/msgpack";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { PackError, PackReader } from "../../../hub/protocol/pack/reader.ts";
import { PackCursor } from "../../kit/pack_cursor.ts";
import { hex, unhex } from "../../kit/hex.ts";

const DEEPEST = 64;
const textDecoder = new TextDecoder("utf-8", { fatal: true });

const codec = new Decoder({
  useBigInt64: true,
  mapKeyConverter: (key) => {
    const exact = withNumbers(key, 0);
    if (typeof exact === "string" || typeof exact === "number") return exact;
    if (typeof exact === "bigint") return `${exact}`;
    throw new RangeError("not a key");
  },
  extensionCodec: {
    tryToEncode: () => null,
    decode(content: Uint8Array, type: number): Date {
      if (type !== -1) throw new RangeError("not a timestamp");
      const { sec, nsec } = decodeTimestampToTimeSpec(content);
      const date = new Date(sec * 1000 + Math.floor(nsec / 1e6));
      if (Number.isNaN(date.getTime())) throw new RangeError("not a date");
      return date;
    },
  },
});

/** Numbers instead of each `bigint` that a number can hold. */
function withNumbers(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (depth === 0) throw new RangeError("too deep");
  const container = value as Record<string, unknown>;
  for (const key of Object.keys(container)) {
    container[key] = withNumbers(container[key], depth - 1);
  }
  return container;
}

type Outcome = "malformed" | "unreadable" | "broken text" | { readonly value: unknown };

/** What the first value in `bytes` is to the codec, with the checks that the codec does not make. */
function byCodec(bytes: Uint8Array): Outcome {
  const texts: Uint8Array[] = [];
  const cursor = new PackCursor(bytes);
  try {
    for (let left = 1; left > 0; left--) {
      const token = cursor.token();
      if (token.kind === "array") left += token.count;
      if (token.kind === "map") left += 2 * token.count;
      if (token.kind === "text") texts.push(token.content);
    }
  } catch {
    return "malformed";
  }
  try {
    for (const text of texts) textDecoder.decode(text);
  } catch {
    // The codec reads other characters then than `PackReader` and `TextDecoder`.
    return "broken text";
  }
  try {
    const [value] = codec.decodeMulti(bytes);
    return { value: withNumbers(value, DEEPEST) };
  } catch {
    return "unreadable";
  }
}

function byReader(bytes: Uint8Array): Exclude<Outcome, "broken text"> {
  try {
    return { value: new PackReader(bytes).any(DEEPEST) };
  } catch (error) {
    if (error instanceof PackError) return "malformed";
    if (error instanceof RangeError) return "unreadable";
    throw error;
  }
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("constructor", "\ufffd", "\ufeff", "\ufeffa", "a".repeat(33), "é".repeat(300)),
);
const { value: anything } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    text,
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  ),
  value: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(text.filter((key) => key !== "__proto__"), tie("value"), { maxKeys: 20 }),
  ),
}));

Deno.test("PackReader.any() reads every value that the codec writes, and stops behind the value", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const written = encode([value, 7], { useBigInt64: true });
      const reader = new PackReader(written);
      assertEquals(reader.array(), 2);
      // Dictionaries without a prototype come back with one.
      assertEquals(reader.any(DEEPEST), structuredClone(value));
      assertEquals(reader.integer(), 7);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("PackReader.any() gives the codec's verdict on any bytes", () => {
  const formats = fc.integer({ min: 0xc0, max: 0xdf });
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), formats, fc.integer({ max: 9, min: 0 }));
  const count = { malformed: 0, unreadable: 0, read: 0 };
  const check = (bytes: Uint8Array) => {
    const [outcome, expected] = [byReader(bytes), byCodec(bytes)];
    if (expected === "broken text") assert(outcome !== "malformed", hex(bytes));
    else assertEquals(outcome, expected, hex(bytes));
    count[typeof outcome === "string" ? outcome : "read"]++;
  };
  fc.assert(
    fc.property(fc.array(byte, { minLength: 1, maxLength: 40 }), (bytes) => {
      check(new Uint8Array(bytes));
    }),
    { numRuns: 10_000 },
  );
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(anything, fc.array(change, { maxLength: 2 }), (value, changes) => {
      const bytes = encode(value, { useBigInt64: true });
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      check(bytes);
    }),
    { numRuns: 5000 },
  );
  for (const [what, times] of Object.entries(count)) assert(times > 200, `${times} ${what}`);
});

Deno.test("PackReader.any() stands behind a value that it cannot read", () => {
  for (
    const value of ["d40500", "81a95f5f70726f746f5f5f81c3c3", "91".repeat(70) + "90"]
  ) {
    const reader = new PackReader(unhex(`${value}07`));
    assertThrows(() => reader.any(DEEPEST), RangeError);
    assertEquals(reader.integer(), 7, value);
  }
});
