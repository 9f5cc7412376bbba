import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode } from "@msgpack/msgpack";
import { readNodeMessage } from "../../../hub/bus/read_node_message.ts";
import { writeNodeMessage } from "../../../hub/bus/write_node_message.ts";
import { PackError } from "../../../hub/protocol/pack/reader.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { NODE_VECTORS } from "./node_message_vectors.ts";

/** Reads; anything but a message, nothing or a PackError fails the test. */
function reads(payload: Uint8Array): boolean {
  try {
    readNodeMessage(payload);
    return true;
  } catch (error) {
    assert(error instanceof PackError, `${hex(payload)}: ${error}`);
    return false;
  }
}

/** The items of a good message of each kind. */
function* kinds(): Generator<unknown[]> {
  for (const [, items] of NODE_VECTORS) yield [...items];
}

Deno.test("writeNodeMessage() writes what the vectors say", () => {
  for (const [message, items] of NODE_VECTORS) {
    assertEquals(decode(writeNodeMessage(message)), items, message.kind);
  }
});

Deno.test("readNodeMessage() reads what the vectors say", () => {
  for (const [message, items] of NODE_VECTORS) {
    assertEquals(readNodeMessage(encode(items)), message, message.kind);
  }
});

Deno.test("a knock and a sign have these bytes", () => {
  const knock = { kind: "knock", id: 7, node: "n", hub: "h" } as const;
  assertEquals(hex(writeNodeMessage(knock)), "95010407a16ea168");
  const hubs = [{ hub: "h", number: 200, told: 3, tails: [["c", 4]] as const }];
  const about = { id: 2, node: "n", activity: "up", interval: 1000, connections: 0, hubs } as const;
  const sign = { kind: "sign", ...about, started: 5, date: 6 } as const;
  const bytes = "9b010202a16e01cd03e80506009194a168ccc80392a16304";
  assertEquals(hex(writeNodeMessage({ ...sign, keys: [] })), `${bytes}90`);
  const key = { created: 7, tag: 256, secret: new Uint8Array(32) };
  const keys = `9307cd0100c420${"00".repeat(32)}`;
  assertEquals(hex(writeNodeMessage({ ...sign, keys: [key] })), bytes + keys);
});

Deno.test("readNodeMessage() ignores items that later versions put behind the known ones", () => {
  for (const [message, items] of NODE_VECTORS) {
    assertEquals(readNodeMessage(encode([...items, { more: [1, null] }, 2])), message);
  }
  const [[message, items] = []] = NODE_VECTORS.filter(([{ kind }]) => kind === "sign");
  const hubs = items?.at(-2) as unknown[][];
  const longer = items?.with(-2, hubs.map((hub) => [...hub, [1], "more"]));
  assertEquals(readNodeMessage(encode(longer)), message);
});

Deno.test("readNodeMessage() gives nothing for an unknown version or kind", () => {
  for (const items of kinds()) {
    for (const version of [0, 2, 1000]) {
      assertEquals(readNodeMessage(encode([version, ...items.slice(1)])), undefined);
    }
    for (const kind of [0, 30, 255, 2 ** 40, -1]) {
      assertEquals(readNodeMessage(encode([1, kind, ...items.slice(2)])), undefined);
    }
  }
  assertEquals(readNodeMessage(encode([2, "anything"])), undefined);
});

Deno.test("readNodeMessage() throws PackError when a payload is cut anywhere", () => {
  for (const [message, items] of NODE_VECTORS) {
    const payload = encode(items);
    for (let length = 0; length < payload.length; length++) {
      assertEquals(reads(payload.subarray(0, length)), false, `${message.kind}: ${length} bytes`);
    }
  }
});

Deno.test("readNodeMessage() throws nothing but PackError when any one byte is another one", () => {
  for (const [, items] of NODE_VECTORS) {
    const payload = encode(items).slice();
    for (let at = 0; at < payload.length; at++) {
      const right = payload[at] ?? 0;
      // Every other value where the payload is short, every flipped bit where it is long.
      for (let flip = 1; flip < 256; flip = payload.length < 60 ? flip + 1 : flip * 2) {
        payload[at] = right ^ flip;
        reads(payload);
      }
      payload[at] = right;
    }
  }
});

Deno.test("readNodeMessage() throws PackError when an item is of another type, or is missing", () => {
  for (const items of kinds()) {
    for (let at = 0; at < items.length; at++) {
      // An age, a length, a date and a user may be missing; only the user is a text.
      const wrong: unknown[] = [1.5, { a: 1 }, -1, ...items[at] === null ? [] : [[[]]]];
      if (typeof items[at] !== "boolean") wrong.push(true);
      const isUser = items[1] === 14 && at === 7 || items[1] === 20 && at === 6;
      if (typeof items[at] !== "string" && !isUser) wrong.push("text");
      if (typeof items[at] !== "number" && items[at] !== null) wrong.push(3);
      for (const value of wrong) {
        const changed = items.with(at, value);
        // Any integer is a version or a kind; only the right ones are read further.
        if (at < 2 && typeof value === "number" && Number.isInteger(value)) continue;
        assertThrows(
          () => readNodeMessage(encode(changed)),
          PackError,
          undefined,
          `${at}: ${value}`,
        );
      }
      if (at < 2) continue;
      assertThrows(() => readNodeMessage(encode(items.slice(0, at))), PackError);
    }
  }
});

Deno.test("readNodeMessage() refuses counts that its payload cannot hold before allocating", () => {
  const heads = ["9b 01 02 01 a1 6e 01 01 01 01 01", "9b 01 07 01 a1 6e a1 68 01 01 01 01 c0"];
  for (const head of heads) {
    for (const count of ["dd ffffffff", "dd 7ffffffe", "dc fffe", "dd 00030d40", "dd 00030d42"]) {
      assertThrows(() => readNodeMessage(unhex(`${head} ${count}`)), PackError);
      assertThrows(() => readNodeMessage(unhex(`${head} ${count} 01 01`)), PackError);
    }
  }
  // The hubs of a sign, their tails, and messages go together in pairs and fours.
  assertThrows(() => readNodeMessage(unhex(`${heads[1]} 91 a1 63`)), PackError, "malformed");
});

Deno.test("readNodeMessage() refuses keys whose tag or secret has another size", () => {
  const [[, items] = []] = NODE_VECTORS.filter(([{ kind }]) => kind === "sign");
  assert(items !== undefined);
  for (const key of [[1, 65_536, new Uint8Array(32)], [1, 1, new Uint8Array(31)]]) {
    assertThrows(() => readNodeMessage(encode(items.with(-1, key))), PackError, "A key");
  }
});

Deno.test("readNodeMessage() refuses parts of a state that are too long, too many or none of it", () => {
  const items = [1, 21, 7, "n", "h", "c", false];
  const read = (...part: unknown[]) => readNodeMessage(encode([...items, ...part]));
  assertEquals(read(99, 100, new Uint8Array(60_000))?.kind, "moveState");
  for (
    const part of [[0, 1, new Uint8Array(60_001)], [0, 101, BYTES], [1, 1, BYTES], [0, 0, BYTES]]
  ) {
    assertThrows(() => read(...part), PackError, "A part of the state");
  }
});

const BYTES = Uint8Array.of(1);

Deno.test("readNodeMessage() refuses names of nodes that are empty or longer than 200 characters", () => {
  for (const items of kinds()) {
    assertEquals(readNodeMessage(encode(items.with(3, "n".repeat(200))))?.node.length, 200);
    for (const node of ["", "n".repeat(201)]) {
      assertThrows(() => readNodeMessage(encode(items.with(3, node))), PackError, "name of a node");
    }
  }
});
