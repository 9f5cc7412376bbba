import { setImmediate } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { Settlements } from "../../../backplanes/driver/settlements.ts";

/** Outcomes that note when they are told. */
function outcomes(): { told: number[]; add(settlements: Settlements, count: number): void } {
  const told: number[] = [];
  let made = 0;
  return {
    told,
    add(settlements, count) {
      for (; count > 0; count--) {
        const number = made++;
        settlements.add({ settle: () => void told.push(number) });
      }
    },
  };
}

Deno.test("Settlements tells the outcomes of a packet in their order, 64 in a turn", async () => {
  const settlements = new Settlements();
  const { told, add } = outcomes();
  add(settlements, 150);
  assertEquals(told.length, 64);
  await Promise.resolve();
  // What comes meanwhile waits for what came before.
  add(settlements, 10);
  assertEquals(told.length, 64);
  await setImmediate();
  assertEquals(told.length, 128);
  await setImmediate();
  assertEquals(told, Array.from({ length: 160 }, (_, number) => number));
});

Deno.test("Settlements tells what comes packet by packet at once", async () => {
  const settlements = new Settlements();
  const { told, add } = outcomes();
  for (let packet = 1; packet <= 10; packet++) {
    add(settlements, 50);
    assertEquals(told.length, 50 * packet);
    await Promise.resolve();
  }
});
