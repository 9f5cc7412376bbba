import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Frame, type TextOrBytes } from "../../../hub/protocol/frame.ts";

const encoder = new TextEncoder();

function joined(...contents: readonly TextOrBytes[]): Frame {
  return contents.map((content) => new Frame(content)).reduce((all, frame) => all.with(frame));
}

Deno.test("Frame counts and encodes text once, and gives bytes as they are", () => {
  const text = new Frame("é😀");
  assertEquals([text.byteLength, text.bytes], [6, encoder.encode("é😀")]);
  assertStrictEquals(text.bytes, text.bytes);
  const bytes = new Uint8Array([1, 2]);
  const binary = new Frame(bytes);
  assertEquals(binary.byteLength, 2);
  assertStrictEquals(binary.content, bytes);
  assertStrictEquals(binary.bytes, bytes);
});

Deno.test("Frame.with() is text where all is text, else bytes, in the order of the frames", () => {
  const bytes = new Uint8Array([1, 2]);
  const more = new Uint8Array([3]);
  assertEquals(joined("a", "é", "c").content, "aéc");
  assertEquals(joined("a", "é", "c").byteLength, 4);
  assertEquals(joined(bytes, more, bytes).content, new Uint8Array([1, 2, 3, 1, 2]));
  assertEquals(joined(bytes, more, bytes).byteLength, 5);
  assertEquals(joined("é", bytes).content, new Uint8Array([0xc3, 0xa9, 1, 2]));
  assertEquals(joined(bytes, "é", more).content, new Uint8Array([1, 2, 0xc3, 0xa9, 3]));
});

Deno.test("Frame.with() of the same frame is the same, joined once, and of another is another", () => {
  const [a, b, c] = [1, 2, 3].map((byte) => new Frame(new Uint8Array([byte])));
  assert(a !== undefined && b !== undefined && c !== undefined);
  const one = a.with(b);
  assertStrictEquals(a.with(b), one);
  assertStrictEquals(one.content, a.with(b).content);
  assertStrictEquals(one.with(c), a.with(b).with(c));
  const other = a.with(c);
  assert(one !== other);
  assertEquals(other.content, new Uint8Array([1, 3]));
  assertEquals(one.content, new Uint8Array([1, 2]));
  assertEquals(one.with(c).content, new Uint8Array([1, 2, 3]));
  assertEquals(other.with(b).content, new Uint8Array([1, 3, 2]));
  assertEquals([a.content, b.content], [new Uint8Array([1]), new Uint8Array([2])]);
});

Deno.test("Frame.with() takes many thousands of frames", () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `${i};`);
  assertEquals(joined(...texts).content, texts.join(""));
  const all = encoder.encode(texts.join(""));
  assertEquals(joined(...texts.map((text) => encoder.encode(text))).content, all);
});
