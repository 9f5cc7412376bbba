import { assertEquals } from "@std/assert";
import { LimitedWarning } from "../../../backplanes/driver/limited_warning.ts";

Deno.test("LimitedWarning.log() logs the first warning, and then one a minute that counts", () => {
  const written: unknown[][] = [];
  let now = 0;
  const warning = new LimitedWarning(
    "It failed",
    { warn: (...all) => written.push(all) },
    () => now,
  );
  for (now of [0, 1, 59_999, 60_000, 60_001, 200_000, 300_000]) warning.log(now);
  assertEquals(written, [
    ["It failed", 0],
    ["It failed (and 2 more times before)", 60_000],
    ["It failed (and once more before)", 200_000],
    ["It failed", 300_000],
  ]);
});
