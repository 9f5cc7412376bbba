import { createHmac } from "node:crypto";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Mac } from "../../../hub/relay/mac.ts";
import { hex, unhex } from "../../kit/hex.ts";

Deno.test("Mac gives the codes of RFC 4231", () => {
  const cases = [
    [
      "0b".repeat(20),
      "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      hex(new TextEncoder().encode("Jefe")),
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
  ] as const;
  for (const [key, text, code] of cases) assertEquals(hex(new Mac(unhex(key)).of(text)), code);
});

Deno.test("Mac gives the codes of createHmac(), for texts of any length one after the other", () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 2000 }), { maxLength: 8 });
  fc.assert(fc.property(key, texts, (key, texts) => {
    const mac = new Mac(key);
    for (const text of texts) {
      assertEquals(hex(mac.of(text)), createHmac("sha256", key).update(text).digest("hex"));
    }
  }));
});
