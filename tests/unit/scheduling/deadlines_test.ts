import { assertEquals } from "@std/assert";
import { Deadlines } from "../../../hub/scheduling/deadlines.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

Deno.test("Deadlines calls back for each item when its time is over, in order", () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const deadlines = new Deadlines<string>(clock, 100, (item) => expired.push(item));
  deadlines.begin("a");
  clock.advance(50);
  deadlines.begin("b");
  deadlines.begin("c");
  deadlines.end("b");
  clock.advance(49);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["a"]);
  clock.advance(50);
  assertEquals(expired, ["a", "c"]);
});

Deno.test("Deadlines: an item that begins again has its whole time again", () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const deadlines = new Deadlines<string>(clock, 100, (item) => expired.push(item));
  deadlines.begin("a");
  clock.advance(60);
  deadlines.begin("a");
  clock.advance(99);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["a"]);
});

Deno.test("Deadlines.clear() ends all without a call, also for items that begin inside a call", () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const deadlines = new Deadlines<string>(clock, 100, (item) => {
    expired.push(item);
    if (item === "a") deadlines.begin("later");
  });
  deadlines.begin("a");
  clock.advance(100);
  assertEquals(expired, ["a"]);
  assertEquals(clock.pending, 1);
  clock.advance(100);
  assertEquals(expired, ["a", "later"]);
  assertEquals(clock.pending, 0);
  deadlines.begin("b");
  deadlines.clear();
  clock.advance(1000);
  assertEquals(expired, ["a", "later"]);
});

Deno.test("Deadlines: 256 items expire in a turn, and the others in later turns", () => {
  const manual = new ManualClock();
  const timers: [delay: number, callback: () => void][] = [];
  const clock = {
    ...{ now: () => manual.now(), date: () => manual.date() },
    after: (delay: number, callback: () => void) => {
      timers.push([delay, callback]);
      return { [Symbol.dispose]: () => {} };
    },
    every: () => ({ [Symbol.dispose]: () => {} }),
  };
  let expired = 0;
  const deadlines = new Deadlines<number>(clock, 100, () => expired++);
  for (let item = 0; item < 600; item++) deadlines.begin(item);
  manual.advance(100);
  for (const [delay, sum] of [[100, 256], [0, 512], [0, 600]] as const) {
    const [due, callback] = timers.pop() ?? [];
    assertEquals(due, delay);
    callback?.();
    assertEquals(expired, sum);
  }
  assertEquals(timers, []);
});
