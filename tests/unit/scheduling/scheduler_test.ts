import { assertEquals } from "@std/assert";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** A scheduler whose turns end when the test says so. */
function driven() {
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  const scheduler = new Scheduler(clock, (end) => ends.push(end));
  return { clock, scheduler, ends, endTurn: () => ends.shift()?.() };
}

Deno.test("Scheduler asks once for the end of a turn, and not at all if nobody waits", () => {
  const { scheduler, ends, endTurn } = driven();
  assertEquals(ends.length, 0);
  const { turn } = scheduler;
  assertEquals([scheduler.turn, ends.length], [turn, 1]);
  endTurn();
  assertEquals(ends.length, 0);
  assertEquals(scheduler.turn, turn + 1);
});

Deno.test("Scheduler.afterFlush() comes behind atTurnEnd(), and what they ask for in the next turn", () => {
  const { scheduler, endTurn } = driven();
  const order: string[] = [];
  const listener = (name: string, then = () => {}) => ({
    turnEnded: () => {
      order.push(name);
      then();
    },
  });
  scheduler.afterFlush(listener("after"));
  scheduler.atTurnEnd(listener("first", () => {
    scheduler.atTurnEnd(listener("next turn"));
    scheduler.afterFlush(listener("after, asked late"));
  }));
  scheduler.atTurnEnd(listener("second"));
  endTurn();
  assertEquals(order, ["first", "second", "after", "after, asked late"]);
  endTurn();
  assertEquals(order.slice(4), ["next turn"]);
});

Deno.test("Scheduler.takeImmediateWrite() allows 16 writes a turn", () => {
  const { scheduler, endTurn } = driven();
  const allowed = () => Array.from({ length: 20 }, () => scheduler.takeImmediateWrite());
  const expected = [...Array(16).fill(true), ...Array(4).fill(false)];
  assertEquals(allowed(), expected);
  endTurn();
  assertEquals(allowed(), expected);
});

Deno.test("Scheduler.endWait() ends a wait at once, and its timer", async () => {
  const { scheduler, clock } = driven();
  const writable = { congested: true };
  const wait = scheduler.untilWritable(writable);
  clock.advance(5);
  assertEquals(clock.pending, 1);
  scheduler.endWait(writable);
  assertEquals(clock.pending, 0);
  await wait;
  scheduler.endWait(writable);
});

Deno.test("Scheduler.untilWritable() looks after 1, 4, 16 and then every 50 ms", async () => {
  const { scheduler, clock } = driven();
  const looks: number[] = [];
  let congested = true;
  const writable = {
    get congested() {
      looks.push(clock.now());
      return congested;
    },
  };
  const start = clock.now();
  const writing = scheduler.untilWritable(writable);
  assertEquals(scheduler.untilWritable(writable), writing);
  for (let passed = 0; passed < 200; passed++) clock.advance(1);
  assertEquals(looks.map((time) => time - start), [1, 5, 21, 71, 121, 171]);
  congested = false;
  clock.advance(50);
  await writing;
});
