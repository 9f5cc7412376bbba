import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { packItems, unpackItems } from "../../../hub/moves/items.ts";
import { PackError } from "../../../hub/protocol/pack/reader.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { movableItems } from "./states.ts";

/** The items of a connection that keeps `value`. */
const only = (value: unknown) => new Map([["key", value]]);

/** Reads; anything but a map or a PackError fails the test. */
function reads(bytes: Uint8Array): boolean {
  try {
    assert(unpackItems(bytes) instanceof Map);
    return true;
  } catch (error) {
    assert(error instanceof PackError, `${hex(bytes)}: ${error}`);
    return false;
  }
}

Deno.test("unpackItems() reads what packItems() has written", () => {
  fc.assert(fc.property(movableItems, (items) => {
    assertEquals(unpackItems(packItems(items)), items);
  }));
});

Deno.test("packItems() keeps what MessagePack alone does not tell apart", () => {
  const items = new Map<unknown, unknown>([
    [1, 1],
    ["1", 1n],
    [undefined, [undefined, null]],
    ["object", { a: undefined, constructor: 1 }],
    ["map", new Map([["a", undefined]])],
    ["bytes", new Uint8Array([1])],
    ["date", new Date(1)],
  ]);
  const copy = unpackItems(packItems(items));
  assertEquals([...copy.keys()], [1, "1", undefined, "object", "map", "bytes", "date"]);
  assertStrictEquals(copy.get("1"), 1n);
  assertEquals(copy.get(undefined), [undefined, null]);
  assert(Object.hasOwn(copy.get("object") as object, "a"));
  assert(copy.get("map") instanceof Map);
  assertEquals(copy.get("bytes"), new Uint8Array([1]));
  assertEquals(copy.get("date"), new Date(1));
});

Deno.test("packItems() writes these bytes", () => {
  const items = new Map<unknown, unknown>([["a", [1, { b: undefined }]], [2, -1n]]);
  assertEquals(
    hex(packItems(items)),
    "9502" + "a161" + "9300" + "01" + "9301" + "a162" + "9103" +
      "02" + "9204" + "d3ffffffffffffffff",
  );
});

Deno.test("packItems() refuses what would not be the same at another node, and says where", () => {
  class Account {}
  const shared = {};
  const circle: unknown[] = [];
  circle.push(circle);
  const holes = new Array(2);
  const refused: readonly [value: unknown, text: string][] = [
    [() => {}, "it is a function"],
    [Symbol("s"), "it is a symbol"],
    [2n ** 63n, "it is an integer beyond 64 bits"],
    ["\ud800", "it is a text that is not well-formed"],
    [new Account(), "it is an object of the class Account"],
    [new Set(), "it is an object of the class Set"],
    [new Error("secret"), "it is an object of the class Error"],
    [new Uint16Array(1), "it is an object of the class Uint16Array"],
    [Promise.resolve(), "it is an object of the class Promise"],
    [Object.create({}), "it is an object of the class Object"],
    [new Date(NaN), "it is an invalid Date"],
    [holes, "it is an array with holes or other members"],
    [Object.assign([1], { more: 1 }), "it is an array with holes or other members"],
    [{ [Symbol("s")]: 1 }, "it is an object with hidden members"],
    [JSON.parse('{"__proto__":1}'), "it is an object with hidden members"],
    [new Map([[{}, 1]]), "it is a Map with objects as keys"],
  ];
  for (const [value, text] of refused) {
    const error = assertThrows(() => packItems(only(value)), TypeError, text);
    assert(error.message.startsWith("Cannot move items.key: "), error.message);
    assert(!error.message.includes("secret"));
  }
  assertThrows(() => packItems(only([shared, shared])), TypeError, "items.key[1]: it is an object");
  assertThrows(() => packItems(only(circle)), TypeError, "an object that is there twice");
  assertThrows(() => packItems(only({ a: [1, { b: new Set() }] })), TypeError, ".key.a[1].b: ");
});

Deno.test("packItems() takes what nests 64 deep and has 64 KiB, and no more", () => {
  const nested = (depth: number): unknown => depth === 0 ? undefined : [nested(depth - 1)];
  // The map itself is the first level.
  const deepest = only(nested(63));
  assertEquals(unpackItems(packItems(deepest)), deepest);
  assertThrows(() => packItems(only(nested(64))), TypeError, "nested deeper than 64");
  // The map, the key and the head of the bytes have 9 bytes.
  const large = only(new Uint8Array(65_536 - 9));
  assertEquals(packItems(large).length, 65_536);
  assertEquals(unpackItems(packItems(large)), large);
  const text = "Cannot move items: they have more than 65536 bytes";
  assertThrows(() => packItems(only(new Uint8Array(65_536 - 8))), TypeError, text);
  assertThrows(() => packItems(only("x".repeat(100_000_000))), TypeError, text);
  assertThrows(() => packItems(only(new Array(70_000).fill(1))), TypeError, text);
});

Deno.test("unpackItems() throws PackError where bytes are missing, or other ones", () => {
  const items = new Map<unknown, unknown>([["a", [1, { b: undefined }]], [2, -1n], ["c", "é"]]);
  const packed = packItems(items);
  for (let length = 0; length < packed.length; length++) {
    assertEquals(reads(packed.subarray(0, length)), false);
  }
  for (let at = 0; at < packed.length; at++) {
    for (let value = 0; value < 256; value++) reads(packed.with(at, value));
  }
});

Deno.test("unpackItems() throws PackError for whatever else comes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void reads(bytes)));
  const nested = (depth: number): unknown => depth === 0 ? 1 : [0, nested(depth - 1)];
  const malformed: readonly unknown[] = [
    1,
    { a: 1 },
    [],
    [0],
    [2, "a"],
    [2, [0], 1],
    [2, "a", [5]],
    [2, "a", [4, 1.5]],
    [2, "a", [4, "1"]],
    [2, "a", [4]],
    [2, "a", [3, 1]],
    [2, "a", [1, 1, 1]],
    [2, "a", [1, "__proto__", 1]],
    [2, "a", { b: 1 }],
    [2, "a", nested(64)],
  ];
  for (const items of malformed) assertEquals(reads(encode(items)), false, Deno.inspect(items));
  assertEquals(reads(encode([2, "a", nested(63)])), true);
  assertEquals(reads(unhex("9302a161c70005")), false, "an extension");
  for (const claim of ["ddffffffff02", "dd7ffffffe02", "9302a161ddffffffff00"]) {
    assertEquals(reads(unhex(claim)), false, claim);
  }
});
