import { assertEquals } from "@std/assert";
import { isOurs, isPacket } from "../../../backplanes/broadcast_channel/packet.ts";

const signed = { hubplane: 1, from: "peer", number: 1, previous: 1000.5, at: 1001 };
const post = { ...signed, kind: "post", names: ["a", "b"], payloads: [new Uint8Array(), bytes(1)] };
const beat = { ...signed, kind: "beat", interval: 60_000 };

function bytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

Deno.test("isOurs() tells packets from what else is posted", () => {
  const others = [null, undefined, 1, "post", {}, [], { hubplane: 2 }, new Uint8Array(3)];
  assertEquals(others.filter(isOurs), []);
  assertEquals([post, beat].filter(isOurs), [post, beat]);
});

Deno.test("isPacket() takes every packet that an instance posts", () => {
  const opened = { ...beat, kind: "hello", number: 0, previous: -0.3 };
  const empty = { ...post, names: [], payloads: [] };
  for (const packet of [post, beat, opened, empty, { ...opened, kind: "bye" }]) {
    assertEquals(isPacket(packet), true, Deno.inspect(packet));
  }
});

Deno.test("isPacket() refuses a packet with any field missing or unsound", () => {
  const never = [undefined, null, true, "1", {}, [], NaN, Infinity, -Infinity];
  const unsound: readonly (readonly [packet: object, field: string, values: unknown[]])[] = [
    [post, "kind", [...never, 1, "posts", "beat"]],
    [beat, "kind", [...never, 1, "posts", "post"]],
    [post, "from", [undefined, null, 1, {}, [], "x".repeat(65)]],
    [post, "number", [...never, -1, 0, 0.5, 2 ** 53, 1n]],
    [beat, "number", [...never, -1, 0.5, 2 ** 53]],
    [post, "previous", [...never, 1n]],
    [post, "at", never],
    [beat, "interval", [...never, 0, -1, 60_001]],
    [post, "names", [...never, "ab", ["a"], ["a", "b", "c"], ["a", 1], ["a", null], new Array(2)]],
    [post, "payloads", [...never, [bytes(1)], ["a", "b"], [bytes(1), [1]], new Array(2)]],
    [post, "payloads", [[bytes(1), bytes(1).buffer], new Array(2 ** 32 - 1)]],
  ];
  for (const [packet, field, values] of unsound) {
    for (const value of values) {
      assertEquals(
        isPacket({ ...packet, [field]: value }),
        false,
        `${field}: ${Deno.inspect(value)}`,
      );
    }
  }
});
