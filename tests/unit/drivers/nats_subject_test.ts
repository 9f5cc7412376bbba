import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readSubject, subjectOf, subjectPrefix } from "../../../backplanes/nats/subject.ts";

const encoder = new TextEncoder();
const wellFormed = (maxBytes: number) =>
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(..."aZ9_:@/+-=.*>$ \t\r\n\0é€😀"), maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."aZ9_:@/+-."), maxLength: 40 }),
  ).filter((text) => encoder.encode(text).length <= maxBytes);
const names = wellFormed(1024).filter((name) => name !== "");
const prefixes = wellFormed(1024);

/** What nats-server takes for a literal subject: tokens without white space, none of them empty or a wildcard. */
function isLiteralSubject(subject: string): boolean {
  return subject.split(".").every((token) =>
    /^[\x21-\x7e]+$/.test(token) && token !== "*" && token !== ">"
  );
}

Deno.test("readSubject() gives back what subjectOf() was given", () => {
  fc.assert(
    fc.property(prefixes, names, (prefix, channel) => {
      assertEquals(readSubject(subjectOf(subjectPrefix(prefix), channel)), { prefix, channel });
    }),
    { numRuns: 2000 },
  );
});

Deno.test("subjectOf() gives different subjects for different names and prefixes", () => {
  const pairs = fc.tuple(prefixes, names);
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      fc.pre(one[0] !== other[0] || one[1] !== other[1]);
      assertNotEquals(
        subjectOf(subjectPrefix(one[0]), one[1]),
        subjectOf(subjectPrefix(other[0]), other[1]),
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("subjectOf() moves no character between prefix and name without a trace", () => {
  fc.assert(
    fc.property(names, fc.nat(), (text, at) => {
      const cut = at % text.length;
      const prefix = text.slice(0, cut);
      const name = text.slice(cut);
      fc.pre(prefix !== "" && prefix.isWellFormed() && name.isWellFormed());
      assertNotEquals(subjectOf(subjectPrefix(prefix), name), subjectOf(subjectPrefix(""), text));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("subjectOf() gives a literal subject that is short enough", () => {
  fc.assert(
    fc.property(prefixes, names, (prefix, channel) => {
      const before = subjectPrefix(prefix);
      const subject = subjectOf(before, channel);
      assert(isLiteralSubject(subject), subject);
      assert(before.length <= Math.ceil(encoder.encode(prefix).length * 4 / 3) + 2);
      assert(
        subject.length - before.length <= Math.ceil(encoder.encode(channel).length * 4 / 3) + 1,
      );
      assert(subject.length < 3000);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("subjectOf() leaves ordinary names readable and encodes the others", () => {
  for (
    const [prefix, channel, subject] of [
      ["", "chat:group:a-1", "chat:group:a-1"],
      ["acme.chat", "room:7", "acme.chat.room:7"],
      ["app:", "all", "app:.all"],
      ["", "a.b", "=YS5i"],
      ["", ">", "=Pg"],
      ["$SYS", "a", "=JFNZUw.a"],
      ["_GR_", "a", "=X0dSXw.a"],
      ["a..b", "a", "=YS4uYg.a"],
    ] as const
  ) assertEquals(subjectOf(subjectPrefix(prefix), channel), subject);
});

Deno.test("subjectPrefix() refuses more than 1,024 bytes and lone surrogates", () => {
  subjectPrefix("é".repeat(512));
  assertThrows(() => subjectPrefix("é".repeat(513)), RangeError, "Cannot use prefix");
  assertThrows(() => subjectPrefix("\ud800"), RangeError, "Cannot use prefix");
});
