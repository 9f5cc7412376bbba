import { assert, assertEquals, assertThrows } from "@std/assert";
import { readAck, readGroupCommand } from "../../../hub/bus/envelope.ts";
import { beginInvocation, endInvocation, readInvocation } from "../../../hub/bus/invocation.ts";
import { PackError, PackReader } from "../../../hub/protocol/pack/reader.ts";
import { PackWriter } from "../../../hub/protocol/pack/writer.ts";
import { SerializedInvocation } from "../../../hub/protocol/serialized_invocation.ts";
import { hex, unhex } from "../../kit/hex.ts";
import {
  ACKS,
  captured,
  COMMANDS,
  EXCLUSIONS,
  HELLO_WORLD,
  LONG_COMMAND,
  RESULT_REQUEST,
} from "./redis_vectors.ts";

type Read = (payload: Uint8Array) => unknown;

/** A copy: what writes next writes into the same buffer. */
const OURS = endInvocation(
  beginInvocation(new SerializedInvocation("Hello", ["World"]), ["c1"], "deno_1"),
  70_000,
  -3,
).slice();

const VECTORS: readonly (readonly [read: Read, payload: Uint8Array])[] = [
  ...ACKS.map(([, bytes]) => [readAck, unhex(bytes)] as const),
  ...COMMANDS.map(([, bytes]) => [readGroupCommand, unhex(bytes)] as const),
  [readGroupCommand, unhex(LONG_COMMAND)],
  ...EXCLUSIONS.map(([, bytes]) => [readInvocation, unhex(bytes)] as const),
  [readInvocation, unhex(HELLO_WORLD)],
  [readInvocation, unhex(RESULT_REQUEST)],
  [readInvocation, OURS],
  ...captured("invocation").map(({ payload }) => [readInvocation, payload] as const),
  ...captured("command").map(({ payload }) => [readGroupCommand, payload] as const),
];

const ALL_FLIPS = Array.from({ length: 255 }, (_, i) => i + 1);
const BIT_FLIPS = [1, 2, 4, 8, 16, 32, 64, 128, 255];

/** Reads; anything but a value or an PackError fails the test. Returns whether it was a value. */
function reads(read: Read, payload: Uint8Array, why: () => string): boolean {
  try {
    read(payload);
    return true;
  } catch (error) {
    assert(error instanceof PackError, `${why()}: ${error}`);
    return false;
  }
}

Deno.test("readers throw PackError when a payload is cut anywhere before its last needed byte", () => {
  for (const [read, payload] of VECTORS) {
    let accepted = 0;
    for (let length = 0; length < payload.length; length++) {
      const cut = payload.subarray(0, length);
      if (reads(read, cut, () => `${hex(payload)} cut to ${length}`)) accepted++;
    }
    // Only what a client-result request has behind its frames is never read.
    if (payload[0] !== 0x94) assertEquals(accepted, 0, hex(payload));
  }
});

Deno.test("readers throw nothing but PackError when any one byte is corrupted", () => {
  for (const [read, payload] of VECTORS) {
    const corrupted = payload.slice();
    // Every other value where the payload is short, every flipped bit where it is long.
    const flips = payload.length < 100 ? ALL_FLIPS : BIT_FLIPS;
    for (let at = 0; at < payload.length; at++) {
      const right = payload[at] ?? 0;
      for (const flip of flips) {
        corrupted[at] = right ^ flip;
        reads(read, corrupted, () => `${hex(payload)}: byte ${at} is ${right ^ flip}`);
      }
      corrupted[at] = right;
    }
  }
});

Deno.test("readInvocation() refuses counts that its payload cannot hold before allocating", () => {
  for (
    const payload of [
      "92 dd ffffffff",
      "92 dd 7fffffff a1 61",
      "92 dc ffff a1 61",
      "92 90 df ffffffff",
      "92 90 de ffff a4 6a736f6e",
      "92 91 db ffffffff 61",
      "92 90 81 a4 6a736f6e c6 ffffffff 7b",
      "dd ffffffff 90 81 a4 6a736f6e c6 7fffffff",
    ]
  ) {
    const error = assertThrows(
      () => readInvocation(unhex(payload)),
      PackError,
      undefined,
      payload,
    );
    assertEquals(error.message, "Cannot read payload: it ends too early", payload);
  }
});

Deno.test("readers name what is missing when an array is too short", () => {
  const cases: readonly (readonly [Read, string, string])[] = [
    [readInvocation, "91 90", "Insufficient items in Invocation array."],
    [readInvocation, "90", "Insufficient items in Invocation array."],
    [readGroupCommand, "94 2a a1 53 01 a1 47", "Insufficient items in GroupCommand array."],
    [readAck, "90", "Insufficient items in Ack array."],
  ];
  for (const [read, payload, text] of cases) {
    assertEquals(assertThrows(() => read(unhex(payload)), PackError).message, text);
  }
});

Deno.test("readers throw PackError when a value is of another kind", () => {
  const cases: readonly (readonly [Read, string])[] = [
    [readInvocation, ""],
    [readInvocation, "c0"],
    [readInvocation, "92 c0 80"],
    [readInvocation, "92 90 c0"],
    [readInvocation, "92 91 01 80"],
    // A frame that is a string and no bin; a name that is a bin and no string.
    [readInvocation, "92 90 81 a4 6a736f6e a1 7b"],
    [readInvocation, "92 90 81 c4 04 6a736f6e c4 01 7b"],
    // A string that is not UTF-8.
    [readInvocation, "92 91 a2 c3 28 80"],
    [readInvocation, "95 90 80 01 c0 90"],
    [readInvocation, "95 90 80 c0 c0 91 01"],
    // Integers beyond 2^53, floats, nil.
    [readAck, "91 cf 0020000000000000"],
    [readAck, "91 d3 8000000000000000"],
    [readAck, "91 ca 3f800000"],
    [readAck, "91 c0"],
    [readGroupCommand, "95 2a a1 53 c3 a1 47 a1 43"],
  ];
  for (const [read, payload] of cases) {
    assertThrows(() => read(unhex(payload)), PackError, undefined, payload);
  }
});

Deno.test("PackWriter.integer() and PackReader.integer() agree at every change of width", () => {
  const edges = [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];
  const negative = [-1, -32, -33, -0x80, -0x81, -0x8000, -0x8001, -0x80000000];
  for (const value of [...edges, ...negative]) {
    const writer = new PackWriter();
    writer.integer(value);
    assertEquals(new PackReader(writer.finish()).integer(), value);
  }
});
