import { assert, assertEquals } from "@std/assert";
import { filesIn, ROOT } from "../../kit/graph.ts";

Deno.test("every test of onEachServer() and its like is passed to Deno.test", async () => {
  let calls = 0;
  for (const file of await filesIn("tests")) {
    if (!file.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const made = text.match(/^ *(?:onEach\w+|serverFaults)\(/gm)?.length ?? 0;
    const passed = text.match(/\)\.forEach\(\(test\) => Deno\.test\(test\)\);$/gm)?.length ?? 0;
    assertEquals(passed, made, file);
    calls += made;
  }
  assert(calls > 150, `${calls} calls were found`);
});
