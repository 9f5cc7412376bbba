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
  [9007199254740993n, "9007199254740993", 9007199254740993n],
  [[{ id: 18446744073709551615n }], '[{"id":18446744073709551615}]', [{ id: 2n ** 64n - 1n }]],
  [-9223372036854775808n, "-9223372036854775808", -(2n ** 63n)],
  ["half \ud83d", '"half \ufffd"', "half \ufffd"],
  [new Money(5), '{"cents":5}', { cents: 5 }],
  [[new Money(5)], '[{"cents":5}]', [{ cents: 5 }]],
  [{ toJSON: () => [1n, new Uint8Array([1])] }, '[1,"AQ=="]', [1, new Uint8Array([1])]],
  [new Point(1, 2), '{"x":1,"y":2}', { x: 1, y: 2 }],
  [Object.assign(Object.create(null), { a: 1 }), '{"a":1}', { a: 1 }],
  [new URL("http://localhost/x"), '"http://localhost/x"', "http://localhost/x"],
];

Deno.test("toJson() writes every value of the table", () => {
  for (const [value, json] of ACCEPTED) assertEquals(toJson(value, "value"), json);
});

Deno.test("toPackable() prepares every value of the table", () => {
  for (const [value, , packable] of ACCEPTED) {
    const prepared = toPackable(value, "value");
    // Converted objects have no prototype; `PackWriter` does not care.
    assertEquals(structuredClone(prepared), structuredClone(packable));
  }
});

Deno.test("toJson() writes long bytes as one base64 text", () => {
  const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
  const text = JSON.parse(toJson(bytes, "value"));
  assertEquals(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)), bytes);
});

Deno.test("toJson() takes a view for the bytes that it shows and no more", () => {
  const view = new Uint8Array([9, 1, 2, 255, 9]).subarray(1, 4);
  assertEquals(toJson(view, "value"), '"AQL/"');
});

/** Values that do not travel, and how the refusal names them. */
const REFUSED: readonly (readonly [value: unknown, text: string])[] = [
  [18446744073709551616n, "an integer beyond 64 bits"],
  [-9223372036854775809n, "an integer beyond 64 bits"],
  [() => 1, "a function"],
  [Symbol("x"), "a symbol"],
  [new Map([[1, 2]]), "a Map"],
  [new Set([1]), "a Set"],
  [Promise.resolve(1), "a Promise; an await is missing"],
  [new Error("x"), "an Error"],
  [/x/, "a RegExp"],
  [new ArrayBuffer(1), "an ArrayBuffer"],
  [new Uint16Array(1), "an Uint16Array"],
  [new DataView(new ArrayBuffer(1)), "a DataView"],
  [new Date(NaN), "an invalid Date"],
];

/** Values that JSON has not, and MessagePack has. */
const NOT_JSON: typeof REFUSED = [
  [NaN, "NaN"],
  [Infinity, "Infinity"],
  [-Infinity, "-Infinity"],
];

Deno.test("toJson(), toPackable() and checkSerializable() refuse what cannot travel, and name the place", () => {
  for (const [value, text] of [...REFUSED, ...NOT_JSON]) {
    // Alone, beside plain values, and beside one that makes the slow way necessary.
    const wrapped: readonly (readonly [value: unknown, place: string])[] = [
      [value, ""],
      [[1, { deep: value }], "[1].deep"],
      [[new Point(1, 2), { "first name": [value] }], '[1]["first name"][0]'],
      [{ toJSON: () => ({ x: value }) }, ".x"],
    ];
    for (const write of [toJson, toPackable, checkSerializable]) {
      if (write === toPackable && typeof value === "number") continue;
      for (const [outer, place] of wrapped) {
        const { message } = assertThrows(() => write(outer, "result"), TypeError);
        assertEquals(message, `Cannot serialise result${place}: it is ${text}`);
      }
    }
  }
});

Deno.test("toPackable() takes NaN and infinities", () => {
  for (const [value] of NOT_JSON) {
    assertEquals(toPackable([{ value }], "value"), [Object.assign(Object.create(null), { value })]);
  }
});

Deno.test("toJson(), toPackable() and checkSerializable() refuse a circular value with a short path", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = { again: [cycle] };
  const endless: { toJSON(): unknown } = { toJSON: () => endless };
  const places = [[cycle, ".self.again[0].self.again[0].self.again…"], [endless, ""]] as const;
  for (const write of [toJson, toPackable, checkSerializable]) {
    for (const [value, place] of places) {
      assertEquals(
        assertThrows(() => write(value, "item"), TypeError).message,
        `Cannot serialise item${place}: it is circular or nested deeper than 64`,
      );
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
      write(nested(64, leaf), "value");
      assertThrows(() => write(nested(65, leaf), "value"), TypeError, "nested deeper than 64");
    }
    // An object is a level of its own.
    write(nested(63, new Point(1, 2)), "value");
    assertThrows(
      () => write(nested(64, new Point(1, 2)), "value"),
      TypeError,
      "nested deeper than 64",
    );
  }
});

Deno.test("toJson() keeps names such as __proto__ as they are", () => {
  const hostile = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assertEquals(toJson(hostile, "value"), '{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assertEquals(
    toJson([hostile, 1n], "value"),
    '[{"__proto__":{"a":1},"constructor":2,"toString":3},1]',
  );
});
