import { assertEquals } from "@std/assert";
import { LimitedEntry } from "../../../backplanes/driver/limited_entry.ts";

Deno.test("LimitedEntry.log() writes the first entry, and then one a minute that counts", () => {
  const written: unknown[][] = [];
  let now = 0;
  const entry = new LimitedEntry("It failed", (...all) => written.push(all), () => now);
  for (now of [0, 1, 59_999, 60_000, 60_001, 200_000, 300_000]) entry.log(now);
  assertEquals(written, [
    ["It failed", 0],
    ["It failed (and 2 more times before)", 60_000],
    ["It failed (and once more before)", 200_000],
    ["It failed", 300_000],
  ]);
});
