import { assertEquals, assertThrows } from "@std/assert";
import { TextFrameReader } from "../../../hub/protocol/framing.ts";
import { utf8Length } from "../../../hub/protocol/frame.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";

function readAll(reader: TextFrameReader): string[] {
  const records: string[] = [];
  for (let record = reader.read(); record !== undefined; record = reader.read()) {
    records.push(record);
  }
  return records;
}

/** What was pushed and not read. */
function restOf(reader: TextFrameReader): string | undefined {
  reader.push("\x1e");
  return reader.read();
}

const TEXT = 'a\x1e{"é":"😀"}\x1e\x1eלש\x1erest';
const RECORDS = ["a", '{"é":"😀"}', "", "לש"];
const BYTES = new TextEncoder().encode(TEXT);

/** The pieces of `whole` between its ends and every combination of two cuts. */
function* pieces<T extends TextOrBytes>(whole: T): Iterable<[T, T, T]> {
  for (let first = 0; first <= whole.length; first++) {
    for (let second = first; second <= whole.length; second++) {
      yield [
        whole.slice(0, first) as T,
        whole.slice(first, second) as T,
        whole.slice(second) as T,
      ];
    }
  }
}

Deno.test("TextFrameReader.read() cuts records wherever chunks of text end", () => {
  for (const chunks of pieces(TEXT)) {
    const reader = new TextFrameReader(null);
    const records = chunks.flatMap((chunk) => {
      reader.push(chunk);
      return readAll(reader);
    });
    assertEquals(records, RECORDS);
    assertEquals(reader.bufferedBytes, "rest".length);
    assertEquals(restOf(reader), "rest");
  }
});

Deno.test("TextFrameReader.read() cuts records wherever chunks of bytes end, inside characters too", () => {
  for (const chunks of pieces(BYTES)) {
    const reader = new TextFrameReader(null);
    const records = chunks.flatMap((chunk) => {
      reader.push(chunk);
      return readAll(reader);
    });
    assertEquals(records, RECORDS);
    assertEquals(restOf(reader), "rest");
  }
});

Deno.test("TextFrameReader.read() gives the same records when all chunks come before the first read", () => {
  const reader = new TextFrameReader(1000);
  for (const character of TEXT) reader.push(character);
  assertEquals(reader.bufferedBytes, TEXT.length);
  assertEquals(reader.read(), "a");
  assertEquals(reader.bufferedBytes, TEXT.length - 2);
  reader.push("\x1emore");
  assertEquals(readAll(reader), [...RECORDS.slice(1), "rest"]);
  assertEquals(restOf(reader), "more");
});

/** Texts of exactly 20 bytes. */
const TWENTY_BYTES = ["x".repeat(20), "é".repeat(10), "€".repeat(6) + "xx", "😀".repeat(5)];

Deno.test("TextFrameReader.read() counts the separator and the UTF-8 bytes against the limit", () => {
  for (const text of TWENTY_BYTES) {
    assertEquals(utf8Length(text), 20);
    for (const chunk of [`${text}\x1e`, new TextEncoder().encode(`${text}\x1e`)]) {
      const exact = new TextFrameReader(21);
      exact.push(chunk);
      assertEquals(exact.read(), text);

      const less = new TextFrameReader(20);
      less.push(chunk);
      const error = assertThrows(() => less.read(), ProtocolError);
      assertEquals(
        error.message,
        "The maximum message size of 20B was exceeded. " +
          "The message size can be configured with maximumReceiveMessageSize.",
      );
    }
  }
});

Deno.test("TextFrameReader.read() refuses a record before it is whole once it cannot fit", () => {
  for (const text of TWENTY_BYTES) {
    const late = new TextFrameReader(20);
    late.push(`${text}x`);
    assertThrows(() => late.read(), ProtocolError, "maximum message size of 20B");
  }
});

Deno.test("TextFrameReader.read() allows many small records in a chunk above the limit", () => {
  const reader = new TextFrameReader(5);
  reader.push("abcd\x1e".repeat(1000));
  assertEquals(readAll(reader).length, 1000);
  reader.push("abcd\x1eabcde\x1e");
  assertEquals(reader.read(), "abcd");
  assertThrows(() => reader.read(), ProtocolError);
});

Deno.test("utf8Length() counts what TextEncoder writes", () => {
  for (const text of ["", "a", "\x7f\x80", "\u07ff\u0800", "\uffff", "😀a\u{10ffff}", TEXT]) {
    assertEquals(utf8Length(text), new TextEncoder().encode(text).length);
  }
});

Deno.test("TextFrameReader.read() reads bytes and text in turns as one text", () => {
  const reader = new TextFrameReader(1000);
  const bytes = new TextEncoder().encode("é");
  reader.push("a");
  reader.push(bytes.subarray(0, 1));
  reader.push(bytes.subarray(1));
  reader.push("b");
  // A character that is cut off by a text stays cut off, where it was.
  reader.push(bytes.subarray(0, 1));
  reader.push("c");
  reader.push(bytes.subarray(1));
  reader.push("\x1e\ufeffd\x1e");
  assertEquals(readAll(reader), ["aéb\ufffdc\ufffd", "\ufeffd"]);
});

Deno.test("TextFrameReader.dropPartial() forgets a beginning wherever it is, and nothing before it", () => {
  for (const chunks of pieces("a\x1ebb\x1ecc")) {
    for (let read = 0; read <= 2; read++) {
      const reader = new TextFrameReader(1000);
      const records: (string | undefined)[] = [];
      for (const [index, chunk] of chunks.entries()) {
        reader.push(chunk);
        // Looked at in between or not.
        if (index < read) records.push(...readAll(reader));
      }
      reader.dropPartial();
      reader.push("d\x1e");
      assertEquals([...records, ...readAll(reader)], ["a", "bb", "d"]);
    }
  }
});
