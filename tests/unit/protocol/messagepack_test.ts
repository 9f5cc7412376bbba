import { assertEquals, assertThrows } from "@std/assert";
import { decode } from "@msgpack/msgpack";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { MessageType } from "../../../hub/protocol/messages.ts";
import { SerializedInvocation } from "../../../hub/protocol/serialized_invocation.ts";
import { hex, unhex } from "../../kit/hex.ts";

/** The message behind its length prefix, which must be right. */
function unframe(framed: Uint8Array): Uint8Array {
  let length = 0;
  let at = 0;
  for (let shift = 0;; shift += 7) {
    const byte = framed[at++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  assertEquals(framed.length - at, length);
  return framed.subarray(at);
}

function writeInvocation(
  target: string,
  args: readonly unknown[],
  invocationId?: string,
): Uint8Array {
  const message = { type: MessageType.Invocation, target, arguments: args };
  return messagepackProtocol.write(
    invocationId === undefined ? message : { ...message, invocationId },
  ) as Uint8Array;
}

Deno.test("messagepackProtocol.write() writes upstream's vectors", () => {
  const cases: readonly (readonly [string, readonly unknown[], string | undefined, string])[] = [
    ["method", [], "xyz", "96 01 80 a3 78797a a6 6d6574686f64 90 90"],
    ["method", [42], undefined, "96 01 80 c0 a6 6d6574686f64 91 2a 90"],
    [
      "method",
      [42, "string"],
      undefined,
      "96 01 80 c0 a6 6d6574686f64 92 2a a6 737472696e67 90",
    ],
    ["target", [], undefined, "96 01 80 c0 a6 746172676574 90 90"],
    ["Hello", ["World"], undefined, "96 01 80 c0 a5 48656c6c6f 91 a5 576f726c64 90"],
    [
      "Result",
      ["test"],
      "AAAAAAAAAAAAAAAAAAAAAA",
      "96 01 80 b6 41414141414141414141414141414141414141414141 a6 526573756c74 91 a4 74657374 90",
    ],
  ];
  for (const [target, args, id, body] of cases) {
    const framed = writeInvocation(target, args, id);
    assertEquals(hex(unframe(framed)), hex(unhex(body)));
  }
  // With its prefix, as upstream's serialiser test has it.
  assertEquals(hex(writeInvocation("target", [])), "0d960180c0a674617267657490" + "90");
});

Deno.test("messagepackProtocol.write() writes values as .NET nodes do", () => {
  const cases: readonly (readonly [value: unknown, body: string])[] = [
    [7, "07"],
    [-1, "ff"],
    [200, "ccc8"],
    [-70000, "d2fffeee90"],
    [2 ** 40, "cf0000010000000000"],
    [1.5, "cb3ff8000000000000"],
    [null, "c0"],
    [undefined, "c0"],
    [[undefined], "91c0"],
    [{ a: undefined, b: 1 }, "81a16201"],
    [true, "c3"],
    [new Uint8Array([1, 2, 255]), "c4030102ff"],
    [new Date("2026-01-02T03:04:05Z"), "d6ff695735a5"],
    [new Date("2026-01-02T03:04:05.500Z"), "d7ff77359400695735a5"],
    [[1, 2], "920102"],
    [9n, "09"],
    ["é 😀 \u2028", "abc3a920f09f988020e280a8"],
  ];
  for (const [value, body] of cases) {
    const framed = writeInvocation("m", [value]);
    assertEquals(hex(unframe(framed)), `960180c0a16d91${body}90`);
  }
});

Deno.test("messagepackProtocol.write() prefixes the length in base 128, little end first", () => {
  for (const [length, prefix] of [[43, "35"], [5237, "8029"], [70_000, "fda204"]] as const) {
    const text = "x".repeat(length);
    const framed = writeInvocation("m", [text]);
    assertEquals(decode(unframe(framed)), [1, {}, null, "m", [text], []]);
    assertEquals(hex(framed.subarray(0, prefix.length / 2)), prefix);
  }
});

Deno.test("messagepackProtocol.write() returns bytes of its own every time", () => {
  const first = writeInvocation("m", ["first"]);
  const before = hex(first);
  writeInvocation("m", ["other"]);
  assertEquals(hex(first), before);
});

Deno.test("SerializedInvocation() refuses a target that is no name and values that cannot travel", () => {
  for (const target of ["", "\ud800", 1 as unknown as string]) {
    assertThrows(() => new SerializedInvocation(target, []), TypeError, "is not a name");
  }
  assertThrows(
    () => new SerializedInvocation("m", [1, "x", { rows: [0, { price: NaN }] }]),
    TypeError,
    "Cannot serialise arguments[2].rows[1].price: it is NaN",
  );
});

Deno.test("SerializedInvocation.frame() gives the frame of each protocol, the same each time", () => {
  const message = new SerializedInvocation("m", [1]);
  assertEquals(message.frame("json")?.content, '{"type":1,"target":"m","arguments":[1]}\x1e');
  assertEquals(message.frame("messagepack")?.content, writeInvocation("m", [1]));
  assertEquals(message.frame("messagepack") === message.frame("messagepack"), true);
  // Names are compared exactly between nodes.
  assertEquals(message.frame("JSON"), undefined);
  assertEquals(message.frame("__proto__"), undefined);
});
