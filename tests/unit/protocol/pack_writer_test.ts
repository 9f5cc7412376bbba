import { assertEquals, assertThrows } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { PackWriter } from "../../../hub/protocol/pack/writer.ts";

function written(value: unknown): Uint8Array {
  const writer = new PackWriter();
  writer.value(value);
  return writer.finish().slice();
}

/** Numbers at which a form changes, and their neighbours. */
const EDGES = [0, 2 ** 5, 2 ** 7, 2 ** 8, 2 ** 15, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53]
  .flatMap((edge) => [edge - 1, edge, edge + 1].flatMap((number) => [number, -number]));

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, ...EDGES),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: "grapheme" }),
  fc.string({ minLength: 30, maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.string().filter((key) => key !== "__proto__"), tie("value"), { maxKeys: 20 }),
  ),
}));

Deno.test("PackWriter.value() writes what the codec of the official client writes", () => {
  for (const number of EDGES) {
    assertEquals(written(number), encode(number), String(number));
  }
  fc.assert(
    fc.property(value, (value) => {
      assertEquals(written(value), encode(value, { ignoreUndefined: true }));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("PackWriter.prefix() and enclose() put lengths of every width before what was written", () => {
  for (const length of [1, 126, 127, 128, 255, 256, 16_383, 16_384, 65_535, 65_536, 3_000_000]) {
    const body = new Uint8Array(length).fill(7);
    const writer = new PackWriter();
    writer.nil();
    const start = writer.length;
    writer.raw(body);
    writer.enclose(start);
    assertEquals(writer.finish().slice(1), encode(body), `enclose ${length}`);
    const framed = new PackWriter();
    framed.nil();
    framed.raw(body);
    framed.prefix(1);
    const frame = framed.finish().slice(1);
    const reader = messagepackProtocol.reader(null);
    reader.push(frame);
    assertEquals(reader.read()?.length, length, `prefix ${length}`);
  }
});

Deno.test("PackWriter that is begun while another writes does not disturb it", () => {
  const nested: Uint8Array[] = [];
  const sly = {
    before: "a",
    get between() {
      nested.push(written(["nested", "x".repeat(500)]));
      return 1;
    },
    after: "b",
  };
  assertEquals(written([sly, "end"]), encode([{ before: "a", between: 1, after: "b" }, "end"]));
  for (const bytes of nested) assertEquals(bytes, encode(["nested", "x".repeat(500)]));
});

Deno.test("messagepackProtocol.write() writes on after a value that throws", () => {
  const broken = {
    get trap() {
      throw new Error("no");
    },
  };
  const message = (item: unknown) => ({ type: 2, invocationId: "1", item }) as const;
  assertThrows(() => messagepackProtocol.write(message(broken)), Error, "no");
  const frames = [1, 2].map((item) => messagepackProtocol.write(message(item)));
  assertEquals(frames, [1, 2].map((item) => new Uint8Array([6, 0x94, 2, 0x80, 0xa1, 0x31, item])));
});
