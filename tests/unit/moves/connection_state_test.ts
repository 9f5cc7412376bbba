import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import {
  type ConnectionState,
  readConnectionState,
  writeConnectionState,
} from "../../../hub/moves/connection_state.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { PackError } from "../../../hub/protocol/pack/reader.ts";
import { hex } from "../../kit/hex.ts";
import { connectionStates } from "./states.ts";

const STATE: ConnectionState = {
  hub: "chat",
  id: "c1",
  userId: "ann",
  expires: 1_790_000_000_000,
  protocol: jsonProtocol,
  groups: ["é", "lobby"],
  heard: {
    nodes: [["deno_1", 300], ["deno_2", 0]],
    channels: [
      { channel: "chat:all", last: [] },
      { channel: "chat:group:é", last: [["deno_2", 70_000], ["deno_1", 301]] },
    ],
  },
  sequence: { acknowledged: 3, received: 7, unacknowledged: ["{}\x1e", "[]\x1e"] },
  items: new Map([["name", "Ann"]]),
};
const NUMBERS = [
  ["deno_1", 300, "deno_2", 0],
  ["chat:all", [], "chat:group:é", [1, 70_000, 0, 301]],
];
const PACKED: readonly unknown[] = [
  ...[1, "chat", "c1", "ann", 1_790_000_000_000, "json", ["é", "lobby"], NUMBERS],
  ...[3, 7, ["{}\x1e", "[]\x1e"], encode([2, "name", "Ann"])],
];
const ANONYMOUS: ConnectionState = {
  ...STATE,
  userId: undefined,
  expires: undefined,
  protocol: messagepackProtocol,
  sequence: { ...STATE.sequence, unacknowledged: [Uint8Array.of(1, 0xff)] },
};
const PACKED_ANONYMOUS = PACKED.with(3, null).with(4, null).with(5, "messagepack")
  .with(10, [Uint8Array.of(1, 0xff)]);

/** Reads; anything but a state or a PackError fails the test. */
function reads(bytes: Uint8Array): boolean {
  try {
    readConnectionState(bytes);
    return true;
  } catch (error) {
    assert(error instanceof PackError, `${hex(bytes)}: ${error}`);
    return false;
  }
}

Deno.test("readConnectionState() reads what writeConnectionState() has written", () => {
  fc.assert(fc.property(connectionStates, (state) => {
    assertEquals(readConnectionState(writeConnectionState(state)), state);
  }));
});

Deno.test("writeConnectionState() writes an array with the items of the value", () => {
  assertEquals(decode(writeConnectionState(STATE)), PACKED);
  assertEquals(decode(writeConnectionState(ANONYMOUS)), PACKED_ANONYMOUS);
  assertEquals(readConnectionState(encode(PACKED)), STATE);
  assertEquals(readConnectionState(encode(PACKED_ANONYMOUS)), ANONYMOUS);
});

Deno.test("readConnectionState() ignores items that later versions put behind the known ones", () => {
  assertEquals(readConnectionState(encode([...PACKED, { more: [1] }, 2])), STATE);
});

Deno.test("writeConnectionState() names a node that is only in a channel", () => {
  const heard = { nodes: [], channels: [{ channel: "c", last: [["n", 5] as const] }] };
  const read = readConnectionState(writeConnectionState({ ...STATE, heard }));
  assertEquals(read.heard, { nodes: [["n", 0]], channels: heard.channels });
});

Deno.test("writeConnectionState() throws TypeError for items that cannot move", () => {
  const items = new Map([["socket", new Set()]]);
  assertThrows(() => writeConnectionState({ ...STATE, items }), TypeError, "items.socket");
  // The writer that all share is free again.
  assertEquals(decode(writeConnectionState(STATE)), PACKED);
});

Deno.test("readConnectionState() throws PackError where bytes are missing, or other ones", () => {
  for (const state of [STATE, ANONYMOUS]) {
    const bytes = writeConnectionState(state);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(reads(bytes.subarray(0, length)), false, `${length} bytes`);
    }
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) reads(bytes.with(at, value));
    }
  }
});

Deno.test("readConnectionState() throws PackError when an item is of another type", () => {
  for (let at = 0; at < PACKED.length; at++) {
    const wrong: unknown[] = [true, 1.5, -1, { a: 1 }, [[[]]], ""];
    if (at !== 3 && at !== 4) wrong.push(null);
    if (typeof PACKED[at] !== "string") wrong.push("text");
    if (typeof PACKED[at] !== "number") wrong.push(3);
    for (const value of wrong) {
      // Any text is the id of a user.
      if (at === 3 && typeof value === "string") continue;
      const text = `${at}: ${Deno.inspect(value)}`;
      assertThrows(() => readConnectionState(encode(PACKED.with(at, value))), PackError, "", text);
    }
  }
});

Deno.test("readConnectionState() refuses frames of the other kind, and numbers of no node", () => {
  const bytes = [Uint8Array.of(1)];
  assertThrows(() => readConnectionState(encode(PACKED.with(10, bytes))), PackError);
  assertThrows(() => readConnectionState(encode(PACKED_ANONYMOUS.with(10, ["{}"]))), PackError);
  const unknown = [["deno_1", 300], ["chat:all", [1, 5]]];
  assertThrows(() => readConnectionState(encode(PACKED.with(7, unknown))), PackError, "no node");
  const later = PACKED.with(0, 2);
  assertThrows(() => readConnectionState(encode(later)), PackError, "version is not known");
});
