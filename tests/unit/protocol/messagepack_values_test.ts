import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { PackReader } from "../../../hub/protocol/pack/reader.ts";
import { UnreadableValue } from "../../../hub/protocol/pack/values.ts";
import { hex, unhex } from "../../kit/hex.ts";

/** What a client's value is to a hub method. */
function read(value: string): unknown {
  const message = messagepackProtocol.parse(unhex(`940280a131${value}`));
  assert(message?.type === 2);
  return message.item;
}

/** How a value is written for a client. */
function written(value: unknown): string {
  const reader = messagepackProtocol.reader(null);
  reader.push(messagepackProtocol.write({ type: 2, invocationId: "1", item: value }));
  return hex(reader.read() as Uint8Array).slice("940280a131".length);
}

Deno.test("messagepackProtocol.parse() makes numbers of integers within 2^53, and bigint of larger ones", () => {
  const cases: readonly (readonly [value: string, integer: number | bigint])[] = [
    ["00", 0],
    ["7f", 127],
    ["ff", -1],
    ["e0", -32],
    ["ccff", 255],
    ["cdffff", 65_535],
    ["ceffffffff", 4_294_967_295],
    ["d080", -128],
    ["d18000", -32_768],
    ["d280000000", -2_147_483_648],
    ["cf0000000000000000", 0],
    ["cf001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["cf0020000000000000", 2n ** 53n],
    ["cf0020000000000001", 2n ** 53n + 1n],
    ["cfffffffffffffffff", 2n ** 64n - 1n],
    ["d3ffffffffffffffff", -1],
    ["d3ffe0000000000001", Number.MIN_SAFE_INTEGER],
    ["d3ffe0000000000000", -(2n ** 53n)],
    ["d38000000000000000", -(2n ** 63n)],
    ["d37fffffffffffffff", 2n ** 63n - 1n],
  ];
  for (const [value, integer] of cases) assertEquals(read(value), integer, value);
});

Deno.test("messagepackProtocol.parse() finds 64-bit integers inside other values", () => {
  assertEquals(read("93cf0000000000000005a4cf80cf8181a161d3ffffffffffffffff"), [5, "πρ", {
    a: -1,
  }]);
  assertEquals(read("82a161cf0020000000000000a1629201cf0000000000000002"), {
    a: 2n ** 53n,
    b: [1, 2],
  });
});

Deno.test("messagepackProtocol.parse() reads floats of both sizes as numbers", () => {
  assertEquals(read("ca3fc00000"), 1.5);
  assertEquals(read("cb3ff8000000000000"), 1.5);
  assertEquals(read("cb7ff8000000000000"), NaN);
  assertEquals(read("cb7ff0000000000000"), Infinity);
});

Deno.test("messagepackProtocol reads and writes a Date as timestamp extension −1", () => {
  const cases: readonly (readonly [value: string, date: string])[] = [
    ["d6ff00000000", "1970-01-01T00:00:00.000Z"],
    ["d6ff695735a5", "2026-01-02T03:04:05.000Z"],
    ["d6ffffffffff", "2106-02-07T06:28:15.000Z"],
    ["d7ffa1a5d600695735a5", "2026-01-02T03:04:05.678Z"],
    ["c70cff00000000ffffffffffffffff", "1969-12-31T23:59:59.000Z"],
    ["c70cff000000000000003afff4417f", "9999-12-31T23:59:59.000Z"],
  ];
  for (const [value, date] of cases) {
    assertEquals(read(value), new Date(date), value);
    if (!value.startsWith("c70cff000000000000")) assertEquals(written(new Date(date)), value);
  }
  // Finer than a millisecond is cut off.
  assertEquals(read("d7ffee6b27fc695735a5"), new Date("2026-01-02T03:04:05.999Z"));
  assertEquals(read("91d6ff695735a5"), [new Date("2026-01-02T03:04:05Z")]);
});

Deno.test("messagepackProtocol reads and writes bytes of every length as Uint8Array", () => {
  for (const length of [0, 1, 255, 256, 65_535, 65_536]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    assertEquals(read(written(bytes)), bytes);
  }
  assertEquals(read("c403010203"), new Uint8Array([1, 2, 3]));
  assertEquals(read("91c5000101"), [new Uint8Array([1])]);
});

Deno.test("messagepackProtocol.parse() gives bytes of their own, which keep nothing of the message", () => {
  const chunk = unhex("940280a131c403010203");
  const message = messagepackProtocol.parse(chunk);
  assert(message?.type === 2 && message.item instanceof Uint8Array);
  assertEquals(message.item.buffer.byteLength, 3);
  chunk.fill(0);
  assertEquals(message.item, new Uint8Array([1, 2, 3]));
});

Deno.test("messagepackProtocol.parse() takes keys as they are, with numbers as text", () => {
  const value = read("84ab636f6e7374727563746f7201a8746f537472696e6702a00301c0");
  assertEquals(Object.entries(value as object), [
    ["1", null],
    ["constructor", 1],
    ["toString", 2],
    ["", 3],
  ]);
  for (
    const one of ["01", "cc01", "cd0001", "ce00000001", "cf0000000000000001", "d30000000000000001"]
  ) {
    assertEquals(read(`81${one}c3`), { "1": true }, one);
  }
});

Deno.test("messagepackProtocol.parse() takes the ids of a database as keys", () => {
  assertEquals(read("82cf002000000000000101d3800000000000000002"), {
    "9007199254740993": 1,
    "-9223372036854775808": 2,
  });
});

Deno.test("messagepackProtocol.parse() reads broken text as U+FFFD, half of a surrogate pair as one", () => {
  const cases: readonly (readonly [value: string, text: string])[] = [
    ["a180", "\ufffd"],
    ["a1f0", "\ufffd"],
    ["d903ffffff", "\ufffd\ufffd\ufffd"],
    ["a541eda0bd42", "A\ufffdB"],
    ["a3edb8a0", "\ufffd"],
    ["a6eda0bdedb8a0", "\ufffd\ufffd"],
    // The bytes that make it broken swallow no others.
    ["a3eda041", "\ufffd\ufffdA"],
    ["a2eda0", "\ufffd\ufffd"],
    ["a3edc3a9", "\ufffdé"],
    ["a3efbfbd", "\ufffd"],
    [`d93f${"61".repeat(60)}edb8a0`, `${"a".repeat(60)}\ufffd`],
  ];
  for (const [value, text] of cases) {
    assertEquals(read(value), text, value);
    assertEquals(Object.keys(read(`81${value}01`) as object), [read(value)], value);
  }
});

Deno.test("messagepackProtocol writes and reads NaN and infinities as floats", () => {
  const cases = [
    ["cb7ff8000000000000", NaN],
    ["cb7ff0000000000000", Infinity],
    ["cbfff0000000000000", -Infinity],
  ] as const;
  for (const [value, number] of cases) {
    assertEquals(written(number), value);
    assertEquals(written([{ a: number }]), `9181a161${value}`);
    assertEquals(read(value), number);
  }
});

Deno.test("messagepackProtocol writes a bigint as the smallest integer of 64 bits", () => {
  const cases: readonly (readonly [integer: bigint, value: string])[] = [
    [5n, "05"],
    [2n ** 53n - 1n, "cf001fffffffffffff"],
    [2n ** 53n + 1n, "cf0020000000000001"],
    [2n ** 63n - 1n, "cf7fffffffffffffff"],
    [2n ** 64n - 1n, "cfffffffffffffffff"],
    [-(2n ** 53n) - 1n, "d3ffdfffffffffffff"],
    [-(2n ** 63n), "d38000000000000000"],
  ];
  for (const [integer, value] of cases) {
    assertEquals(written(integer), value);
    assertEquals(written({ a: [integer] }), `81a16191${value}`);
  }
});

/** What cannot become a value. */
const UNREADABLE: Readonly<Record<string, string>> = {
  "an extension of the application": "d40501",
  "an empty extension": "c70005",
  "an extension that MessagePack reserves": "d4fe01",
  "a timestamp of five bytes": "c705ff0102030405",
  "a timestamp that no Date has": "c70cff000000007fffffffffffffff",
  "a key that is an array": "819001",
  "a key that is nil": "81c001",
  "the key __proto__": "81a95f5f70726f746f5f5f81a561646d696ec3",
};

Deno.test("messagepackProtocol.parse() keeps a byte order mark, however long its text is", () => {
  for (
    const length of [0, 195, 196, 197, 198, 199, 252, 253, 254, 65_531, 65_532, 65_533, 100_000]
  ) {
    const text = `\ufeff${"a".repeat(length)}`;
    const value = [text, { [text]: [text, "between", `\ufeff${text}`] }, new Uint8Array([1]), text];
    assertEquals(read(written(value)), value, `${length}`);
  }
});

Deno.test("messagepackProtocol.parse() lets a value that it cannot read fail whoever waits for it", () => {
  for (const [what, value] of Object.entries(UNREADABLE)) {
    assert(read(value) instanceof UnreadableValue, what);
    assert(read(`91${value}`) instanceof UnreadableValue, what);
    const completion = messagepackProtocol.parse(unhex(`950380a13103${value}`));
    assert(completion?.type === 3 && completion.result instanceof UnreadableValue, what);
    const call = messagepackProtocol.parse(unhex(`950180a131a16d91${value}`));
    assert(call?.type === 1, what);
    assertEquals([call.arguments, call.bindingError?.name], [[], "InvalidDataException"], what);
  }
  assertEquals(({} as { admin?: boolean }).admin, undefined);
});

Deno.test("messagepackProtocol reads and writes the values of upstream's server", () => {
  // Of the transcript "messagepack: value types"; its other types have no counterpart here.
  const cases: readonly (readonly [value: string, meaning: unknown])[] = [
    ["a5477265656e", "Green"],
    ["cb3ff8000000000000", 1.5],
    ["d6ff695735a5", new Date("2026-01-02T03:04:05Z")],
    ["d7ffa1a5d600695735a5", new Date("2026-01-02T03:04:05.678Z")],
    ["92d6ff695735a578", [new Date("2026-01-02T03:04:05Z"), 120]],
    ["ce35a4e900", 900_000_000],
    ["a4312e3530", "1.50"],
    ["c4030102ff", new Uint8Array([1, 2, 255])],
    ["81a44b65794101", { KeyA: 1 }],
  ];
  for (const [value, meaning] of cases) {
    assertEquals(read(value), meaning, value);
    assertEquals(written(meaning), value);
  }
  // Wider forms than needed are read, and not written.
  assertEquals(read("94d200000001a161c0c3"), [1, "a", null, true]);
  assertEquals(read("ca3fc00000"), 1.5);
});

Deno.test("PackReader.any() copies bytes, also out of a Buffer: they keep no payload in memory", () => {
  const payload = Buffer.concat([Buffer.from([0xc4, 2, 1, 2]), Buffer.alloc(1000)]);
  const bytes = new PackReader(payload).any(0);
  assert(bytes instanceof Uint8Array && !Buffer.isBuffer(bytes));
  assertEquals([...bytes], [1, 2]);
  assertEquals(bytes.buffer.byteLength, 2);
});
