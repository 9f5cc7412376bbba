import { assertEquals } from "@std/assert";
import { AwakeClock } from "../../../hub/scheduling/awake_clock.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** A clock with a heartbeat a second, on a node that can be stopped. */
function node() {
  const real = new ManualClock();
  const awake = new AwakeClock(real, 1000);
  const began = awake.now();
  /** The node works for some seconds. */
  const beats: string[] = [];
  awake.every(1000, () => beats.push("every"));
  const work = (seconds: number) => real.advance(1000 * seconds);
  return { real, work, awake, beats, time: () => awake.now() - began };
}

Deno.test("AwakeClock goes as the clock of the platform while the node works", () => {
  const { real, work, time } = node();
  work(60);
  real.advance(400);
  assertEquals(time(), 60_400);
});

Deno.test("AwakeClock stands still while the node does", () => {
  const { real, work, time } = node();
  work(3);
  real.stop(40_000);
  // The node worked until the next heartbeat was due, as far as anybody can tell.
  assertEquals(time(), 4000);
  work(2);
  assertEquals(time(), 6000);
});

Deno.test("AwakeClock.after() waits for as long as the node works", () => {
  const { real, work, awake } = node();
  let rang = 0;
  awake.after(5000, () => rang++);
  work(2);
  real.stop(40_000);
  assertEquals(rang, 0);
  work(1);
  assertEquals(rang, 0);
  work(1);
  assertEquals(rang, 1);
  assertEquals(real.pending, 1);
});

Deno.test("AwakeClock.after() can be disposed of after a wait was prolonged", () => {
  const { real, work, awake } = node();
  let rang = 0;
  const timer = awake.after(2000, () => rang++);
  real.stop(40_000);
  timer[Symbol.dispose]();
  work(10);
  assertEquals([rang, real.pending], [0, 1]);
});

Deno.test("AwakeClock lets the sockets be read before a callback that is late", () => {
  const { real, awake, beats: rang } = node();
  awake.after(1500, () => rang.push("after"));
  real.advance(900);
  real.stop(3000);
  assertEquals(rang, []);
  real.advance(100);
  assertEquals(rang, []);
  real.advance(400);
  assertEquals(rang, ["after"]);
  real.advance(500);
  assertEquals(rang, ["after", "every"]);
});

Deno.test("AwakeClock.every() calls back on a node that is always late", () => {
  const { real, beats } = node();
  for (let n = 0; n < 10; n++) real.stop(2000);
  assertEquals(beats.length, 5);
});

Deno.test("AwakeClock stands still in a long turn, however often somebody looks at it", () => {
  const { real, time } = node();
  let looks = 0;
  // The turn takes 40 s; the heartbeat comes after it.
  const stop = (left: number) => {
    for (; left > 0; left -= 100) {
      real.pass(100);
      looks++;
      assertEquals(time() <= 1000, true);
    }
  };
  stop(40_000);
  real.advance(0);
  assertEquals([looks, time()], [400, 1000]);
});

Deno.test("AwakeClock goes on without a heartbeat", () => {
  const real = new ManualClock();
  const awake = new AwakeClock(real, 1000);
  const began = awake.now();
  const heartbeat = awake.every(1000, () => {});
  real.advance(5000);
  heartbeat[Symbol.dispose]();
  let rang = 0;
  awake.after(10_000, () => rang++);
  real.advance(10_000);
  assertEquals([rang, awake.now() - began, real.pending], [1, 15_000, 0]);
});
