import { assert, assertEquals, assertThrows } from "@std/assert";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { UnreadableValue } from "../../../hub/protocol/pack/values.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { VECTORS } from "./messagepack_vectors.ts";

/** Parses `bytes`, which may be refused, but in no other way than by a {@link ProtocolError}. */
function attempt(bytes: Uint8Array): void {
  try {
    const message = messagepackProtocol.parse(bytes);
    assert(message === undefined || message.type >= 1 && message.type <= 9);
  } catch (error) {
    assert(error instanceof ProtocolError, `${hex(bytes)}: ${error}`);
  }
}

Deno.test("messagepackProtocol.parse() throws nothing but ProtocolError when a record is cut", () => {
  for (const [body] of VECTORS) {
    const bytes = unhex(body);
    for (let length = 0; length < bytes.length; length++) attempt(bytes.subarray(0, length));
  }
});

Deno.test("messagepackProtocol.parse() throws nothing but ProtocolError when any byte becomes any other", () => {
  for (const [body] of VECTORS) {
    const bytes = unhex(body);
    for (let at = 0; at < bytes.length; at++) {
      const corrupted = bytes.slice();
      for (let byte = 0; byte < 256; byte++) {
        corrupted[at] = byte;
        attempt(corrupted);
      }
    }
  }
});

/** Headers that claim 2^32−1 bytes or items, with almost nothing behind them. */
const CLAIMS: Readonly<Record<string, string>> = {
  array32: "ddffffffff",
  map32: "dfffffffff",
  bin32: "c6ffffffff",
  str32: "dbffffffff",
  ext32: "c9ffffffff05",
};

/** Runs `work` and returns by how much the memory outside the heap and the heap grew, in bytes. */
function growth(work: () => void): number {
  const { heapUsed, external } = Deno.memoryUsage();
  work();
  const after = Deno.memoryUsage();
  return after.heapUsed - heapUsed + after.external - external;
}

Deno.test("messagepackProtocol.parse() allocates nothing for a length that is only claimed", () => {
  const grown = growth(() => {
    for (const claim of Object.values(CLAIMS)) {
      for (const inside of ["", "91", "81a161"]) {
        const value = `${inside}${claim}c0`;
        const item = unhex(`940280a131${value}`);
        const error = assertThrows(() => messagepackProtocol.parse(item), ProtocolError);
        assertEquals(error.name, "MessagePackSerializationException");
        const call = messagepackProtocol.parse(unhex(`950180a131a16d91${value}`));
        assert(call?.type === 1 && call.bindingError !== undefined);
        assertEquals(call.arguments, []);
      }
    }
  });
  // One of the claims alone would be 2^32 bytes and more.
  assert(grown < 2 ** 24, `${grown} bytes`);
});

Deno.test("messagepackProtocol.parse() refuses claimed lengths wherever a message has one", () => {
  const reading = (field: string) => `Reading '${field}' as String failed.`;
  const cases: readonly (readonly [body: string, text: string])[] = [
    ["ddffffffff", "Reading 'messageType' as Int32 failed."],
    ["9605dfffffffff", reading("headers[0].Key")],
    ["9605dfffffffffa161a162", reading("headers[1].Key")],
    ["960181dbffffffff", reading("headers[0].Key")],
    ["960181a161dbffffffff", reading("headers[0].Value")],
    ["960180dbffffffff", reading("invocationId")],
    ["960180c0dbffffffff", reading("target")],
    ["950380a13101dbffffffff", reading("error")],
    ["9207dbffffffff", reading("error")],
  ];
  for (const [body, text] of cases) {
    const error = assertThrows(() => messagepackProtocol.parse(unhex(body)), ProtocolError);
    assertEquals([error.name, error.message], ["InvalidDataException", text], body);
  }
  const ids = unhex("960180c0a16d90ddffffffffa161");
  const error = assertThrows(() => messagepackProtocol.parse(ids), ProtocolError);
  assertEquals(error.name, "MessagePackSerializationException");
});

/** A value of `depth` arrays in one another. */
function nested(depth: number): string {
  return "91".repeat(depth - 1) + "90";
}

Deno.test("messagepackProtocol.parse() survives 100,000 nested arrays and maps", () => {
  for (const level of ["91", "81a161", "dd00000001", "81c0", "8191"]) {
    for (const bottom of ["c0", "cf0000000000000001", "", "c1"]) {
      const deep = level.repeat(100_000) + bottom;
      const bytes = unhex(`950380a13103${deep}`);
      attempt(bytes);
      const call = messagepackProtocol.parse(unhex(`950180a131a16d91${deep}`));
      assert(call?.type === 1 && call.bindingError !== undefined);
    }
  }
  // What follows the arguments is found behind them, however deep they are.
  const call = messagepackProtocol.parse(unhex(`960180a131a16d91${nested(100_000)}91a173`));
  assert(call?.type === 1 && call.bindingError !== undefined);
});

Deno.test("messagepackProtocol.parse() reads values nested 64 deep and none deeper", () => {
  const deepest = messagepackProtocol.parse(unhex(`950380a13103${nested(64)}`));
  assert(deepest?.type === 3);
  assertEquals(JSON.stringify(deepest.result), "[".repeat(64) + "]".repeat(64));
  const call = messagepackProtocol.parse(unhex(`950180a131a16d91${nested(64)}`));
  assert(call?.type === 1);
  assertEquals(JSON.stringify(call.arguments), "[".repeat(65) + "]".repeat(65));

  const deeper = messagepackProtocol.parse(unhex(`950380a13103${nested(65)}`));
  assert(deeper?.type === 3);
  assert(deeper.result instanceof UnreadableValue);
  const refused = messagepackProtocol.parse(unhex(`950180a131a16d91${nested(65)}`));
  assert(refused?.type === 1);
  assertEquals(
    refused.bindingError?.message,
    "Error binding arguments. Make sure that the types of the provided values match the types of " +
      "the hub method being invoked.",
  );
});

Deno.test("messagepackProtocol.parse() reads many arrays beside one another", () => {
  const flat = messagepackProtocol.parse(unhex(`950380a13103dc03e8${"91c0".repeat(1000)}`));
  assert(flat?.type === 3);
  assertEquals(flat.result, Array.from({ length: 1000 }, () => [null]));
});
