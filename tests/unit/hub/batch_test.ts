import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Batch } from "../../../hub/connection/batch.ts";
import type { Frame } from "../../../hub/protocol/protocol.ts";

const encoder = new TextEncoder();

function batchOf(...frames: readonly Frame[]): Batch {
  const [first = "", ...others] = frames;
  return others.reduce<Batch>(
    (batch, frame) => batch.with(frame, bytesOf(frame)),
    Batch.of(first, bytesOf(first)),
  );
}

function bytesOf(frame: Frame): number {
  return typeof frame === "string" ? encoder.encode(frame).length : frame.length;
}

Deno.test("Batch.joined is text where all is text, else bytes, in the order of the frames", () => {
  const bytes = new Uint8Array([1, 2]);
  const more = new Uint8Array([3]);
  assertStrictEquals(batchOf("a").joined, "a");
  assertStrictEquals(batchOf(bytes).joined, bytes);
  assertEquals(batchOf("a", "é", "c").joined, "aéc");
  assertEquals(batchOf(bytes, more, bytes).joined, new Uint8Array([1, 2, 3, 1, 2]));
  assertEquals(batchOf("é", bytes).joined, new Uint8Array([0xc3, 0xa9, 1, 2]));
  assertEquals(batchOf(bytes, "é", more).joined, new Uint8Array([1, 2, 0xc3, 0xa9, 3]));
});

Deno.test("Batch counts frames and bytes", () => {
  const batch = batchOf("é", "b", new Uint8Array(5));
  assertEquals([batch.count, batch.bytes], [3, 8]);
});

Deno.test("Batch of the same frames is one, joined once, and what differs is another", () => {
  const [a, b, c] = [new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([3])];
  const one = batchOf(a, b);
  const same = batchOf(a, b);
  assertStrictEquals(one, same);
  assertStrictEquals(one.joined, same.joined);
  const other = batchOf(a, c);
  assert(one !== other);
  assertEquals(other.joined, new Uint8Array([1, 3]));
  assertEquals(one.joined, new Uint8Array([1, 2]));
  assertEquals(one.with(c, 1).joined, new Uint8Array([1, 2, 3]));
  assertEquals(other.with(b, 1).joined, new Uint8Array([1, 3, 2]));
});

Deno.test("Batch.joined takes many thousands of frames", () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `${i};`);
  assertEquals(batchOf(...texts).joined, texts.join(""));
  const frames = texts.map((text) => encoder.encode(text));
  assertEquals(batchOf(...frames).joined, encoder.encode(texts.join("")));
});
