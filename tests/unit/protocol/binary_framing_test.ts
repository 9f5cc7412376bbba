import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BinaryFrameReader } from "../../../hub/protocol/messagepack/binary_framing.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import { HandshakeReader } from "../../../hub/protocol/handshake_reader.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";
import { hex, unhex } from "../../kit/hex.ts";

function readAll(reader: BinaryFrameReader): string[] {
  const records: string[] = [];
  for (let record = reader.read(); record !== undefined; record = reader.read()) {
    records.push(hex(record));
  }
  return records;
}

Deno.test("BinaryFrameReader.read() cuts records wherever chunks end", () => {
  const long = "ab".repeat(300);
  const bytes = unhex(`020102 01ff ac02${long} 0391`);
  for (let first = 0; first <= bytes.length; first++) {
    for (const second of [first, Math.min(first + 1, bytes.length), bytes.length]) {
      const reader = new BinaryFrameReader(1000);
      const chunks = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
      const records = chunks.flatMap((chunk) => {
        reader.push(chunk);
        return readAll(reader);
      });
      assertEquals(records, ["0102", "ff", long]);
      assertEquals(reader.bufferedBytes, 2);
    }
  }
});

Deno.test("BinaryFrameReader.read() reads prefixes of one to five bytes", () => {
  for (const length of [1, 53, 127, 128, 5248, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const prefix: number[] = [];
    for (let rest = length; rest > 0; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80);
    prefix.push((prefix.pop() ?? 0) & 0x7f);
    const reader = new BinaryFrameReader(null);
    reader.push(new Uint8Array([...prefix, ...new Uint8Array(length)]));
    assertEquals(reader.read()?.length, length);
  }
});

Deno.test("BinaryFrameReader.read() counts the prefix against the limit", () => {
  const exact = new BinaryFrameReader(4);
  exact.push(unhex("03010203"));
  assertEquals(hex(exact.read() ?? new Uint8Array()), "010203");
  const more = new BinaryFrameReader(3);
  more.push(unhex("03010203"));
  assertThrows(() => more.read(), ProtocolError, "The maximum message size of 3B was exceeded.");
});

Deno.test("BinaryFrameReader.read() waits behind a huge prefix until too much has arrived", () => {
  const reader = new BinaryFrameReader(10);
  reader.push(unhex("ffffffff07"));
  reader.push(new Uint8Array(5));
  assertEquals(reader.read(), undefined);
  reader.push(new Uint8Array(1));
  assertThrows(() => reader.read(), ProtocolError, "The maximum message size of 10B was exceeded.");
});

Deno.test("BinaryFrameReader.read() refuses an empty record and a prefix above 2 GB", () => {
  const cases = [
    ["00", "EndOfStreamException", "Attempted to read past the end of the stream."],
    ["ffffffff08", "FormatException", "Messages over 2GB in size are not supported."],
    ["ffffffff87", "FormatException", "Messages over 2GB in size are not supported."],
    ["8080808080", "FormatException", "Messages over 2GB in size are not supported."],
  ] as const;
  for (const [bytes, name, text] of cases) {
    const reader = new BinaryFrameReader(1000);
    reader.push(unhex(bytes));
    const error = assertThrows(() => reader.read(), ProtocolError);
    assertEquals([error.name, error.message], [name, text], bytes);
  }
});

const REQUEST = '{"protocol":"é😀","version":1}';

Deno.test("HandshakeReader.push() finds the request wherever chunks end, and leaves the rest as it came", () => {
  const rest = unhex("029106c3ff1e");
  const bytes = new Uint8Array([...new TextEncoder().encode(`${REQUEST}\x1e`), ...rest]);
  const end = bytes.length - rest.length;
  for (let cut = 0; cut < end; cut++) {
    const reader = new HandshakeReader(null);
    assertEquals(reader.push(bytes.slice(0, cut)), undefined);
    assertEquals(reader.push(bytes.slice(cut)), { record: REQUEST, rest });
  }
  const text = `${REQUEST}\x1e{"type":6}\x1e`;
  for (let cut = 0; cut < REQUEST.length; cut++) {
    // A native socket never cuts a character in two.
    if (text.charCodeAt(cut) >= 0xdc00 && text.charCodeAt(cut) < 0xe000) continue;
    const reader = new HandshakeReader(null);
    assertEquals(reader.push(text.slice(0, cut)), undefined);
    assertEquals(reader.push(text.slice(cut)), { record: REQUEST, rest: '{"type":6}\x1e' });
  }
});

Deno.test("HandshakeReader.push() counts the bytes up to the separator, and not what follows", () => {
  const bytes = new TextEncoder().encode(`${REQUEST}\x1e`).length;
  for (const chunk of [`${REQUEST}\x1e${"x".repeat(1000)}`, `${REQUEST}\x1e`]) {
    assertEquals(new HandshakeReader(bytes).push(chunk)?.record, REQUEST);
    assertThrows(() => new HandshakeReader(bytes - 1).push(chunk), ProtocolError);
  }
  const endless = new HandshakeReader(100);
  endless.push("x".repeat(100));
  assertThrows(() => endless.push("x"), ProtocolError);
});

Deno.test("BinaryFrameReader.dropPartial() forgets the beginning of a record and keeps whole ones", () => {
  const whole = unhex("020102 01ff");
  const long = unhex(`ac02${"ab".repeat(300)}`);
  for (let cut = 0; cut < long.length; cut++) {
    const reader = new BinaryFrameReader(1000);
    reader.push(whole);
    reader.push(long.subarray(0, cut));
    if (cut % 2 === 0) assertEquals(hex(reader.read() ?? new Uint8Array()), "0102");
    reader.dropPartial();
    assertEquals(reader.bufferedBytes, cut % 2 === 0 ? 2 : 5);
    // Its sender begins again.
    reader.push(long);
    const all = cut % 2 === 0 ? ["ff"] : ["0102", "ff"];
    assertEquals(readAll(reader), [...all, "ab".repeat(300)]);
    reader.dropPartial();
    assertEquals([reader.bufferedBytes, readAll(reader)], [0, []]);
  }
});

Deno.test("BinaryFrameReader.dropPartial() leaves a malformed record for read() to refuse", () => {
  const reader = new BinaryFrameReader(1000);
  reader.push(unhex("01ff ffffffffff 01"));
  reader.dropPartial();
  assertEquals(hex(reader.read() ?? new Uint8Array()), "ff");
  assertThrows(() => reader.read(), ProtocolError, "Messages over 2GB");
});

Deno.test("BinaryFrameReader.read() reads a large record that comes in very many chunks", () => {
  const length = 1_000_000;
  const reader = new BinaryFrameReader(null);
  reader.push(unhex("c0843d"));
  for (let at = 0; at < length; at += 10) {
    assertEquals(reader.read(), undefined);
    reader.push(new Uint8Array(10).fill(at / 10));
  }
  const record = reader.read();
  assertEquals([record?.length, record?.[length - 1]], [length, (length / 10 - 1) % 256]);
  assertEquals(reader.read(), undefined);
});

Deno.test("BinaryFrameReader.read() finds the same records however they are cut", () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
  const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 400 }));
  fc.assert(fc.property(bodies, cuts, (records, sizes) => {
    const bytes = new Uint8Array(
      records.flatMap((record) => [...messagepackProtocol.frame(record) as Uint8Array]),
    );
    const reader = new BinaryFrameReader(1000);
    const found: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = sizes.next().value;
      reader.push(bytes.subarray(at, at += size));
      if (size % 3 > 0) found.push(...readAll(reader));
    }
    found.push(...readAll(reader));
    assertEquals(found, records.map(hex));
    assertEquals(reader.bufferedBytes, 0);
  }));
});
