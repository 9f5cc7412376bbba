import { assertEquals } from "@std/assert";
import { BUSES } from "./buses.ts";
import { Pair } from "./nodes.ts";
import { baseCases } from "./specification.ts";
import { callerCases, groupCases } from "./specification_groups.ts";
import { sendingCases, userCases } from "./specification_sending.ts";

const cases = [...baseCases, ...sendingCases, ...userCases, ...groupCases, ...callerCases];

Deno.test("specification has each case once", () => {
  assertEquals(cases.length, 23);
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
  assertEquals(new Set(cases.map(({ upstream }) => upstream)).size, cases.length);
});

for (const [driver, open] of Object.entries(BUSES)) {
  Deno.test(`createHubServer() on two nodes keeps SignalR's specification over ${driver}`, async (t) => {
    await using bus = await open();
    for (const { name, run } of cases) {
      await t.step(name, async () => {
        await using pair = await Pair.start(bus);
        await run(pair, bus);
        assertEquals(pair.one.logger.errors.all, []);
        assertEquals(pair.two.logger.errors.all, []);
      });
    }
  });
}
