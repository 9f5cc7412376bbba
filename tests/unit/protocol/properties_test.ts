import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import { PackReader } from "../../../hub/protocol/pack/reader.ts";
import { PackWriter } from "../../../hub/protocol/pack/writer.ts";
import { SerializedInvocation } from "../../../hub/protocol/serialized_invocation.ts";
import type { HubProtocol } from "../../../hub/protocol/protocol.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";
import { contentOf } from "./content_of.ts";

const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

/** The records of `frames`, as a client's peer cuts them. */
function records(protocol: HubProtocol, ...frames: readonly TextOrBytes[]): TextOrBytes[] {
  const reader = protocol.reader(null);
  for (const frame of frames) reader.push(frame);
  const found: TextOrBytes[] = [];
  for (let record = reader.read(); record !== undefined; record = reader.read()) found.push(record);
  assertEquals(reader.bufferedBytes, 0);
  return found;
}

/** What is left of a value by writing it and reading it again. */
function returned(protocol: HubProtocol, value: unknown): unknown {
  const frame = protocol.write({ type: 3, invocationId: "1", result: value });
  const [record = ""] = records(protocol, frame);
  const message = protocol.parse(record);
  assert(message?.type === 3);
  return message.result;
}

/** Names that objects have already, and texts of every plane. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("constructor", "toString", "\x1e", "\0", "\u2028", "\ufeff"),
);

/** Whatever JSON has; −0 is 0 there, numbers beyond 2^53 are another test's, and `__proto__` is no key in MessagePack. */
const json = fc.jsonValue({ stringUnit: "grapheme", maxDepth: 6 })
  .map((value) =>
    JSON.parse(JSON.stringify(value), (_key, item) => isInexact(item) ? item / 2 ** 1000 : item)
  )
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

function isInexact(value: unknown): value is number {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

Deno.test("write() and parse() carry every integer of 64 bits, in both protocols", () => {
  const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
  const value = fc.array(fc.oneof(integer, fc.record({ 'id"': integer, text })));
  const exact = (value: unknown): unknown => {
    if (typeof value === "bigint") {
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    if (Array.isArray(value)) return value.map(exact);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exact(item)]));
  };
  for (const protocol of PROTOCOLS) {
    fc.assert(
      fc.property(value, (value) => {
        assertEquals(returned(protocol, value), exact(value));
      }),
      { numRuns: 500 },
    );
  }
});

Deno.test("SerializedInvocation gives clients of both protocols the same arguments", () => {
  const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
  fc.assert(fc.property(fc.array(fc.oneof(integer, json, text)), (args) => {
    const message = new SerializedInvocation("m", args);
    const [inJson, inPack] = PROTOCOLS.map((protocol) => {
      const [record = ""] = records(protocol, message.frame(protocol.name)?.content ?? "");
      return essence(contentOf(protocol, record));
    });
    assertEquals(inJson, inPack);
  }));
});

Deno.test("write() and parse() carry every value that JSON has, in both protocols", () => {
  for (const protocol of PROTOCOLS) {
    fc.assert(
      fc.property(json, (value) => assertEquals(returned(protocol, value), value)),
      { numRuns: 500 },
    );
  }
});

Deno.test("write() and parse() carry dates, bytes and integers in MessagePack", () => {
  const date = fc.date({ noInvalidDate: true });
  const integer = fc.maxSafeInteger();
  const float = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n === 0 ? 0 : n);
  const leaf = fc.oneof(date, fc.uint8Array(), integer, float, text, fc.boolean());
  const key = text.filter((key) => key !== "__proto__");
  const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, leaf));
  fc.assert(
    fc.property(value, (value) => {
      // Dictionaries without a prototype come back with one.
      assertEquals(returned(messagepackProtocol, value), structuredClone(value));
    }),
    { numRuns: 500 },
  );
});

Deno.test("write() makes every text well-formed, in both protocols", () => {
  const any = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
  });
  for (const protocol of PROTOCOLS) {
    fc.assert(fc.property(any, (text) => {
      assertEquals(returned(protocol, text), text.toWellFormed());
    }));
  }
});

const id = fc.string({ minLength: 1 });
const headers = fc.dictionary(id.filter((name) => name !== "__proto__"), id, {
  minKeys: 1,
  noNullPrototype: true,
});
const call = fc.record(
  { headers, target: id, arguments: fc.array(json), streamIds: fc.array(id, { minLength: 1 }) },
  { requiredKeys: ["target", "arguments"] },
);

/** Every kind of message with every member that it may have. */
const message: fc.Arbitrary<HubMessage> = fc.oneof(
  fc.tuple(call, fc.option(id, { nil: undefined })).map(([rest, invocationId]) => ({
    type: 1 as const,
    ...rest,
    ...invocationId !== undefined && { invocationId },
  })),
  fc.tuple(call, id).map(([rest, invocationId]) => ({ type: 4 as const, ...rest, invocationId })),
  fc.record({ type: fc.constant(2 as const), invocationId: id, item: json }),
  fc.record(
    { type: fc.constant(3 as const), headers, invocationId: id, error: text.map(wellFormed) },
    { requiredKeys: ["type", "invocationId"] },
  ),
  fc.record({ type: fc.constant(3 as const), invocationId: id, result: json }),
  fc.record(
    { type: fc.constant(5 as const), headers, invocationId: id },
    { requiredKeys: ["type", "invocationId"] },
  ),
  fc.constant({ type: 6 as const }),
  fc.record(
    {
      type: fc.constant(7 as const),
      error: text.map(wellFormed),
      allowReconnect: fc.constant(true),
    },
    { requiredKeys: ["type"] },
  ),
  fc.record({ type: fc.constantFrom(8 as const, 9 as const), sequenceId: fc.maxSafeNat() }),
);

function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** Without what says nothing: the stream ids that MessagePack always has, the prototype of headers. */
function essence(content: unknown): unknown {
  const { streamIds, ...rest } = structuredClone(content) as { streamIds?: readonly string[] };
  return streamIds?.length ? { ...rest, streamIds } : rest;
}

Deno.test("write() and parse() carry every message, many in a row, in both protocols", () => {
  for (const protocol of PROTOCOLS) {
    fc.assert(fc.property(fc.array(message), (messages) => {
      const found = records(protocol, ...messages.map((message) => protocol.write(message)));
      assertEquals(
        found.map((record) => essence(contentOf(protocol, record))),
        messages.map(essence),
      );
    }));
  }
});

Deno.test("frame() gives a record back its framing, in both protocols", () => {
  for (const protocol of PROTOCOLS) {
    fc.assert(fc.property(message, (message) => {
      const frame = protocol.write(message);
      const [record = ""] = records(protocol, frame);
      assertEquals(protocol.frame(record), frame);
    }));
  }
});

Deno.test("parse() throws nothing but ProtocolError, whatever it is given", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
  // What begins as a message does is looked at more closely.
  const opening = fc.tuple(fc.integer({ min: 0x91, max: 0x9f }), fc.integer({ min: 1, max: 9 }));
  const likely = fc.tuple(opening, bytes).map(([start, rest]) =>
    new Uint8Array([...start, ...rest])
  );
  for (const protocol of PROTOCOLS) {
    fc.assert(
      fc.property(fc.oneof(bytes, likely), (record) => {
        try {
          protocol.parse(record);
        } catch (error) {
          assert(error instanceof ProtocolError, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  }
});

Deno.test("parse() throws nothing but ProtocolError when any byte of a message is another", () => {
  const change = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.nat(255),
  );
  for (const protocol of PROTOCOLS) {
    fc.assert(
      fc.property(message, fc.array(change, { minLength: 1, maxLength: 3 }), (message, changes) => {
        const [record = ""] = records(protocol, protocol.write(message));
        const bytes = typeof record === "string"
          ? new TextEncoder().encode(record)
          : record.slice();
        for (const [place, byte] of changes) bytes[Math.floor(place * bytes.length)] = byte;
        try {
          protocol.parse(bytes);
        } catch (error) {
          assert(error instanceof ProtocolError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  }
});

Deno.test("PackWriter writes texts of every width, one after the other, as PackReader reads them", () => {
  // Lengths around 32, 64, 256 and 65,536, where a form or the way to write it changes.
  const length = fc.constantFrom(0, 1, 10, 20, 31, 32, 63, 64, 65, 100, 255, 256, 21_845, 65_535);
  const text = fc.tuple(fc.constantFrom("a", "é", "€", "😀", "\ufffd"), length, fc.string())
    .map(([character, times, end]) => character.repeat(times) + end);
  const texts = fc.array(text, { maxLength: 6 });
  fc.assert(fc.property(texts, (texts) => {
    const writer = new PackWriter();
    for (const text of texts) {
      writer.string(text);
      writer.binary(text);
    }
    const reader = new PackReader(writer.finish());
    for (const text of texts) {
      assertEquals(reader.string(), text);
      assertEquals(new TextDecoder("utf-8", { ignoreBOM: true }).decode(reader.binary()), text);
    }
  }));
});
