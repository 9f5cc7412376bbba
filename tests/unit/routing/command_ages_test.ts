import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CommandAges } from "../../../hub/routing/command_ages.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

const TIMEOUT = 5000;

function start(): { ages: CommandAges; clock: ManualClock } {
  const clock = new ManualClock();
  const limitedLog = new LimitedLog(console, clock);
  const context = { clock, limitedLog, scheduler: new Scheduler(clock) };
  return { ages: new CommandAges(context, TIMEOUT), clock };
}

Deno.test("CommandAges.heard() knows copies after twice the timeout, and never calls new commands late", () => {
  const steps = fc.array(
    fc.record({
      pause: fc.integer({ min: 0, max: 9000 }),
      back: fc.integer({ min: 0, max: 20 }),
    }),
    { maxLength: 80 },
  );
  fc.assert(fc.property(steps, (steps) => {
    const { ages, clock } = start();
    /** When each id, or a later one, was first heard. */
    const first = new Map<number, number>();
    let highest = 0;
    for (const { pause, back } of steps) {
      clock.advance(pause);
      // The next command; or one before, which may have come already.
      const id = Math.max(1, back === 0 ? highest + 1 : highest + 1 - back);
      const late = ages.heard("node", id);
      for (let each = highest + 1; each <= id; each++) first.set(each, clock.now());
      highest = Math.max(highest, id);
      const age = clock.now() - (first.get(id) ?? NaN);
      if (age >= 2 * TIMEOUT) assert(late, `${id} is known after ${age} ms`);
      if (age < TIMEOUT) assert(!late, `${id} is late after ${age} ms`);
    }
  }));
});

Deno.test("CommandAges.heard() goes on when ids start again", () => {
  const { ages, clock } = start();
  ages.heard("node", 0x7fffffff);
  clock.advance(TIMEOUT);
  assertEquals(ages.heard("node", 1), false);
  assertEquals(ages.heard("node", 0x7fffffff), false);
  clock.advance(TIMEOUT);
  assertEquals(ages.heard("node", 1), true);
  assertEquals(ages.heard("other", 1), false);
});
