import { assertEquals } from "@std/assert";
import { sized } from "../../kit/sizes.ts";
import { Run } from "./farm/run.ts";
import { type Fault, scenario } from "./farm/scenario.ts";

/** Plays the scenarios of many seeds; returns how many messages members lacked, and how many were sent. */
function play(first: number, count: number, faults?: readonly Fault[]) {
  const figures = { sent: 0, lost: 0, reports: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const outcome = new Run(scenario(seed, faults)).run();
    const which = faults === undefined ? `${seed}` : `${seed}, ${JSON.stringify(faults)}`;
    assertEquals(outcome.faults, [], `new Run(scenario(${which}), true).run() has a trace`);
    for (const figure of ["sent", "lost", "reports"] as const) figures[figure] += outcome[figure];
  }
  return figures;
}

Deno.test("Repair loses nothing in silence, doubles nothing and keeps the order, whatever fails", () => {
  const { sent, lost, reports } = play(1, sized(1500, 100_000));
  // The scenarios do lose messages, such as those of a node that dies.
  assertEquals([sent > 30_000, lost > 0, reports > 0], [true, true, true]);
});

Deno.test("Repair loses nothing at all while nothing fails but the bus", () => {
  assertEquals(play(1, sized(300, 20_000), ["restart"]).lost, 0);
});

Deno.test("Repair ends what it began, in scenarios that were not right once", () => {
  for (const seed of [13_708, 21_691, 32_060, 44_861, 60_016, 84_432, 91_403, 91_853, 1_088_394]) {
    play(seed, 1);
  }
});
