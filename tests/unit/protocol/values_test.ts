import { assertEquals, assertThrows } from "@std/assert";
import { checkSerializable, toJson, toPackable } from "../../../hub/protocol/values.ts";

class Money {
  readonly #cents: number;
  readonly currency = "EUR";

  constructor(cents: number) {
    this.#cents = cents;
  }

  toJSON(): unknown {
    return { cents: this.#cents };
  }
}

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

const DATE = new Date("2026-01-02T03:04:05.678Z");

/** Values that can be sent: the JSON text, and the value for `PackWriter`. */
const ACCEPTED: readonly (readonly [value: unknown, json: string, packable: unknown])[] = [
  [null, "null", null],
  [undefined, "null", undefined],
  [true, "true", true],
  [0, "0", 0],
  [-1.5, "-1.5", -1.5],
  ["", '""', ""],
  ['é😀"\\\n\u0001\u2028', '"é😀\\"\\\\\\n\\u0001\u2028"', 'é😀"\\\n\u0001\u2028'],
  [[undefined, null], "[null,null]", [undefined, null]],
  [{ a: undefined, b: 1 }, '{"b":1}', { a: undefined, b: 1 }],
  [DATE, '"2026-01-02T03:04:05.678Z"', DATE],
  [{ when: [DATE] }, '{"when":["2026-01-02T03:04:05.678Z"]}', { when: [DATE] }],
  [new Uint8Array([1, 2, 255]), '"AQL/"', new Uint8Array([1, 2, 255])],
  [new Uint8Array(0), '""', new Uint8Array(0)],
  [{ raw: new Uint8Array([0]) }, '{"raw":"AA=="}', { raw: new Uint8Array([0]) }],
  [0n, "0", 0],
  [9007199254740991n, "9007199254740991", Number.MAX_SAFE_INTEGER],
  [[-9007199254740991n], "[-9007199254740991]", [Number.MIN_SAFE_INTEGER]],
  [new Money(5), '{"cents":5}', { cents: 5 }],
  [[new Money(5)], '[{"cents":5}]', [{ cents: 5 }]],
  [{ toJSON: () => [1n, new Uint8Array([1])] }, '[1,"AQ=="]', [1, new Uint8Array([1])]],
  [new Point(1, 2), '{"x":1,"y":2}', { x: 1, y: 2 }],
  [Object.assign(Object.create(null), { a: 1 }), '{"a":1}', { a: 1 }],
  [new URL("http://localhost/x"), '"http://localhost/x"', "http://localhost/x"],
];

Deno.test("toJson() writes every value of the table", () => {
  for (const [value, json] of ACCEPTED) assertEquals(toJson(value), json);
});

Deno.test("toPackable() prepares every value of the table", () => {
  for (const [value, , packable] of ACCEPTED) {
    const prepared = toPackable(value);
    // Converted objects have no prototype; `PackWriter` does not care.
    assertEquals(structuredClone(prepared), structuredClone(packable));
  }
});

Deno.test("toJson() writes long bytes as one base64 text", () => {
  const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
  const text = JSON.parse(toJson(bytes));
  assertEquals(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)), bytes);
});

Deno.test("toJson() takes a view for the bytes that it shows and no more", () => {
  const view = new Uint8Array([9, 1, 2, 255, 9]).subarray(1, 4);
  assertEquals(toJson(view), '"AQL/"');
});

const cycle: Record<string, unknown> = {};
cycle.self = { again: [cycle] };
const endless: { toJSON(): unknown } = { toJSON: () => endless };

/** Values that do not travel, and how the refusal names them. */
const REFUSED: readonly (readonly [value: unknown, text: string])[] = [
  [NaN, "Cannot serialise NaN"],
  [Infinity, "Cannot serialise Infinity"],
  [-Infinity, "Cannot serialise -Infinity"],
  [9007199254740992n, "Cannot serialise 9007199254740992n, beyond 2^53"],
  [-9007199254740992n, "Cannot serialise -9007199254740992n, beyond 2^53"],
  [() => 1, "Cannot serialise a function"],
  [Symbol("x"), "Cannot serialise a symbol"],
  [new Map([[1, 2]]), "Cannot serialise a Map"],
  [new Set([1]), "Cannot serialise a Set"],
  [new ArrayBuffer(1), "Cannot serialise a ArrayBuffer"],
  [new Uint16Array(1), "Cannot serialise a Uint16Array"],
  [new DataView(new ArrayBuffer(1)), "Cannot serialise a DataView"],
  [new Date(NaN), "Cannot serialise an invalid Date"],
  [cycle, "Cannot serialise a value that is circular or nested deeper than 64"],
  [endless, "Cannot serialise a value that is circular or nested deeper than 64"],
];

Deno.test("toJson(), toPackable() and checkSerializable() refuse what cannot travel", () => {
  for (const [value, text] of REFUSED) {
    // Alone, beside plain values, and beside one that makes the slow way necessary.
    for (const wrapped of [value, [1, { deep: value }], [new Point(1, 2), { deep: [value] }]]) {
      for (const write of [toJson, toPackable, checkSerializable]) {
        assertEquals(assertThrows(() => write(wrapped), TypeError).message, text);
      }
    }
  }
});

Deno.test("checkSerializable() accepts nesting of 64 and refuses 65", () => {
  const nested = (levels: number, innermost: unknown): unknown => {
    let value = innermost;
    for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value };
    return value;
  };
  for (const write of [toJson, toPackable, checkSerializable]) {
    for (const leaf of [1, 1n]) {
      write(nested(64, leaf));
      assertThrows(() => write(nested(65, leaf)), TypeError, "nested deeper than 64");
    }
    // An object is a level of its own.
    write(nested(63, new Point(1, 2)));
    assertThrows(() => write(nested(64, new Point(1, 2))), TypeError, "nested deeper than 64");
  }
});

Deno.test("toJson() keeps names such as __proto__ as they are", () => {
  const hostile = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assertEquals(toJson(hostile), '{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assertEquals(
    toJson([hostile, 1n]),
    '[{"__proto__":{"a":1},"constructor":2,"toString":3},1]',
  );
});
