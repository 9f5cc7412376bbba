import { assertEquals, assertRejects } from "@std/assert";
import { Child } from "../../kit/child.ts";
import { bounded } from "../../kit/wait.ts";

Deno.test("until() finds what has been said, and gives up what has not been when the process ends", async () => {
  await using child = Child.start("eval", "console.log('one'); console.error('two')");
  assertEquals((await child.until(/o(.)e/))[1], "n");
  await child.until(/two/);
  await assertRejects(() => bounded(child.until(/three/)), Error, "Cannot find /three/ in: ");
  await child.until(/one/);
});

Deno.test("until() gives up in time, however much else is said meanwhile", async () => {
  await using child = Child.start("eval", "setInterval(() => console.log('chatter'), 20)");
  await child.until(/(?:chatter\s+){3}/);
  await assertRejects(() => bounded(child.until(/sense/, 200)), Error, "Cannot find /sense/");
});
