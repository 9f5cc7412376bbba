import { assert, assertEquals, assertRejects } from "@std/assert";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { Sweep } from "../../../hub/scheduling/sweep.ts";
import { visitAll } from "../../../hub/scheduling/visits.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** A scheduler whose turns end when the test says so. */
function driven() {
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  const sleep = (wake: () => void) => {
    ends.push(wake);
    return () => {};
  };
  const scheduler = new Scheduler(clock, (end) => ends.push(end), sleep);
  const endTurn = async () => {
    ends.shift()?.();
    // The work that was let go on gets its microtasks.
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const log = new KeptLog();
  return { clock, scheduler, ends, endTurn, log, limitedLog: new LimitedLog(log, clock) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

Deno.test("Scheduler.walk() visits 256 items in a turn", async () => {
  const { scheduler, endTurn } = driven();
  const visited: number[] = [];
  const walk = scheduler.walk(numbers(600), (item) => visited.push(item));
  assertEquals(visited.length, 256);
  await endTurn();
  assertEquals(visited.length, 512);
  await endTurn();
  await walk;
  assertEquals(visited, numbers(600));
});

Deno.test("Scheduler.walk() waits for no turn if all fits into one", () => {
  const { scheduler, ends } = driven();
  assertEquals(scheduler.walk(numbers(15), () => {}), undefined);
  assertEquals(ends.length, 0);
  assertEquals(scheduler.walk(numbers(200), () => {}), undefined);
});

Deno.test("Scheduler.walk() ends a turn after 5 ms", async () => {
  const { scheduler, clock, endTurn } = driven();
  let visited = 0;
  const walk = scheduler.walk(numbers(100), () => {
    visited++;
    clock.advance(1);
  });
  assertEquals(visited, 16);
  // Three of them are rests.
  for (let turn = 0; turn < 10; turn++) await endTurn();
  await walk;
  assertEquals(visited, 100);
});

Deno.test("Scheduler.walk() shares the time of a turn with all other walks", async () => {
  const { scheduler, endTurn } = driven();
  let visited = 0;
  const walks = numbers(100).map(() => scheduler.walk(numbers(300), () => visited++));
  // Each walk visits 16 items at once, and the first walks more.
  assert(visited <= 256 + 100 * 16, `${visited}`);
  for (let turn = 0; turn < 10; turn++) {
    const before = visited;
    await endTurn();
    assert(visited - before <= 256 + 16, `${visited - before} in a turn`);
  }
  for (let turn = 0; visited < 30_000; turn++) {
    assert(turn < 200, `${visited} after ${turn} turns`);
    await endTurn();
  }
  await Promise.all(walks);
});

Deno.test("Scheduler.walk() rejects with an error in a later turn", async () => {
  const { scheduler, endTurn } = driven();
  const walk = scheduler.walk(numbers(600), (item) => {
    if (item === 300) throw new Error("300");
  });
  assert(walk !== undefined);
  const rejected = assertRejects(() => walk, Error, "300");
  await endTurn();
  await rejected;
});

Deno.test("Scheduler.spend() shares 256 steps of a turn between all, and lets the longest wait go first", async () => {
  const { scheduler, endTurn } = driven();
  const steps = { a: 0, b: 0 };
  let over = false;
  const work = async (name: "a" | "b") => {
    while (!over) {
      steps[name]++;
      const pause = scheduler.spend();
      await (pause ?? Promise.resolve());
    }
  };
  const all = [work("a"), work("b")];
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(steps.a + steps.b <= 258, `${steps.a} + ${steps.b}`);
  assert(Math.abs(steps.a - steps.b) <= 1, `${steps.a}, ${steps.b}`);
  await endTurn();
  assert(steps.a + steps.b <= 2 * 258, `${steps.a} + ${steps.b}`);
  over = true;
  await endTurn();
  await Promise.all(all);
});

Deno.test("Scheduler.spend() ends a turn after 5 ms", async () => {
  const { scheduler, clock, endTurn } = driven();
  for (let step = 0; step < 3; step++) assertEquals(scheduler.spend(), undefined);
  clock.advance(5);
  const pause = scheduler.spend();
  assert(pause !== undefined);
  await endTurn();
  await pause;
  assertEquals(scheduler.spend(), undefined);
});

Deno.test("Scheduler.takeRead() has 5 ms in a turn, whoever reads", async () => {
  const { scheduler, clock, endTurn } = driven();
  const read = () => {
    clock.pass(1);
    return scheduler.takeRead();
  };
  // Then the event loop would sleep.
  for (let turn = 0; turn < 3; turn++) {
    let reads = 0;
    while (read()) reads++;
    assert(reads >= 4 && reads <= 12, `${reads} in a turn`);
    assertEquals(scheduler.takeRead(), false);
    await endTurn();
  }
});

Deno.test("Scheduler lets postponed work wait for the end of a rest", async () => {
  const { scheduler, clock, endTurn, ends } = driven();
  let went = 0;
  const goOn = () => {
    went++;
    clock.pass(5);
    scheduler.postpone(goOn);
  };
  scheduler.flooded();
  goOn();
  for (let turn = 0; turn < 3; turn++) await endTurn();
  assertEquals(went, 4);
  // The rest has begun: a turn that ends meanwhile lets nothing go on, and messages wait.
  assertEquals(scheduler.takeRead(), false);
  const wake = ends.splice(0);
  scheduler.atTurnEnd({ turnEnded() {} });
  await endTurn();
  assertEquals([went, scheduler.takeRead()], [4, false]);
  for (const end of wake) end();
  await endTurn();
  assertEquals(went, 5);
});

Deno.test("Scheduler ends the waits of 256 listeners in a turn that takes longer than 5 ms", async () => {
  const { scheduler, clock, endTurn } = driven();
  let called = 0;
  const turnEnded = () => {
    called++;
    clock.advance(1);
  };
  for (let listener = 0; listener < 600; listener++) scheduler.atTurnEnd({ turnEnded });
  await endTurn();
  assertEquals(called, 256);
  await endTurn();
  await endTurn();
  assertEquals(called, 600);
});

Deno.test("Scheduler lets 256 pieces of work go on in a turn", async () => {
  const { scheduler, endTurn } = driven();
  let went = 0;
  for (let piece = 0; piece < 300; piece++) scheduler.nextTurn().then(() => went++);
  await endTurn();
  assertEquals(went, 256);
  await endTurn();
  assertEquals(went, 300);
});

Deno.test("Sweep.begin() begins no visits while others are under way", async () => {
  const { scheduler, limitedLog, endTurn } = driven();
  let visited = 0;
  const sweep = new Sweep({ scheduler, limitedLog }, numbers(300), () => visited++);
  sweep.begin();
  sweep.begin();
  assertEquals(visited, 256);
  await endTurn();
  assertEquals(visited, 300);
  sweep.begin();
  assert(visited > 300, "the visits begin anew");
});

Deno.test("visitAll() logs what a visit throws, and visits the items behind it", async () => {
  const { scheduler, limitedLog, log, endTurn } = driven();
  const visited: number[] = [];
  const visits = visitAll({ scheduler, limitedLog }, numbers(300), (item) => {
    if (item % 100 === 0) throw new Error(`item ${item}`);
    visited.push(item);
  });
  await endTurn();
  await visits;
  assertEquals(visited, numbers(300).filter((item) => item % 100 !== 0));
  assertEquals(log.lines, ["error Work on many items failed for one of them: Error: item 0"]);
});

Deno.test("Sweep.begin() begins anew after visits that threw in a later turn", async () => {
  const { scheduler, limitedLog, endTurn } = driven();
  let visited = 0;
  const sweep = new Sweep({ scheduler, limitedLog }, numbers(300), (item) => {
    visited++;
    if (item > 256) throw new Error("unforeseen");
  });
  sweep.begin();
  await endTurn();
  assertEquals(visited, 300);
  sweep.begin();
  assert(visited > 300, "the visits begin anew");
});
