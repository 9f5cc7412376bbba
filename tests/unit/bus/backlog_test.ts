import { assert, assertEquals, assertRejects } from "@std/assert";
import type { BackplaneStatus } from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError, MemoryBackplane } from "../../../mod.ts";
import { Backlog, type OutgoingOptions } from "../../../hub/bus/backlog.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** A bus that is what the test says. */
class SomeBackplane extends MemoryBackplane {
  state: BackplaneStatus = "reconnecting";

  override get status(): BackplaneStatus {
    return this.state;
  }
}

/** A backlog; what leaves is written down, and fails where the test says so. */
function backlog(options: Partial<OutgoingOptions> = {}) {
  const clock = new ManualClock();
  const backplane = new SomeBackplane();
  const left: string[] = [];
  let fails = false;
  const kept = new Backlog({
    ...{ backplane, clock, scheduler: new Scheduler(clock) },
    limitedLog: new LimitedLog(new KeptLog(), clock),
    options: { outageTimeout: 5000, repairBufferBytes: 10_000, ...options },
  }, (channel, payload) => {
    left.push(`${channel} ${payload.length}`);
    return fails ? Promise.reject(new RangeError("refused")) : Promise.resolve(left.length);
  });
  const add = (channel: string, bytes = 1) => {
    const added = kept.add(channel, new Uint8Array(bytes));
    added.catch(() => {});
    return added;
  };
  return { kept, clock, backplane, left, add, fail: () => fails = true };
}

Deno.test("Backlog takes messages while the bus is away, and while others wait still", () => {
  const { kept, backplane, add } = backlog();
  const taken = (["connecting", "reconnecting", "open", "closed"] as const).map((state) => {
    backplane.state = state;
    return kept.takes;
  });
  assertEquals(taken, [true, true, false, false]);
  add("a");
  backplane.state = "open";
  assertEquals(kept.takes, true);
  kept.leave();
  assertEquals(kept.takes, false);
  const none = backlog({ outageTimeout: 0 });
  assertEquals(none.kept.takes, false);
});

Deno.test("Backlog lets everything leave in its order, and tells what became of it", async () => {
  const { kept, backplane, left, add, fail } = backlog();
  const added = ["a", "b", "a"].map((channel, index) => add(channel, index));
  kept.leave();
  assertEquals(left, []);
  backplane.state = "open";
  kept.leave();
  assertEquals(left, ["a 0", "b 1", "a 2"]);
  assertEquals(await Promise.all(added), [1, 2, 3]);
  backplane.state = "reconnecting";
  const refused = add("c");
  fail();
  backplane.state = "open";
  kept.leave();
  await assertRejects(() => refused, RangeError, "refused");
});

Deno.test("Backlog leaves in bounded turns, and stops while the bus is away again", async () => {
  const { kept, backplane, left, add } = backlog({ repairBufferBytes: 1_000_000 });
  for (let index = 0; index < 1000; index++) add(`${index}`);
  backplane.state = "open";
  kept.leave();
  assert(left.length > 0 && left.length <= 300, `${left.length} in one turn`);
  backplane.state = "reconnecting";
  const before = left.length;
  for (let turn = 0; turn < 10; turn++) await endOfTurn();
  assertEquals(left.length, before);
  backplane.state = "open";
  kept.leave();
  while (kept.takes) await endOfTurn();
  assertEquals(left, Array.from({ length: 1000 }, (_, index) => `${index} 1`));
});

Deno.test("Backlog withdraws what has waited for outageTimeout, and nothing else", async () => {
  const { kept, clock, backplane, left, add } = backlog();
  const first = add("first");
  clock.advance(3000);
  const second = add("second");
  clock.advance(1999);
  assertEquals(kept.takes, true);
  clock.advance(1);
  const text = "the backplane is away for 5000 ms";
  await assertRejects(() => first, BackplaneUnavailableError, text);
  backplane.state = "open";
  kept.leave();
  assertEquals([await second, left, clock.pending], [1, ["second 1"], 0]);
});

Deno.test("Backlog has room for repairBufferBytes, with 256 bytes for each message", async () => {
  const { kept, clock, backplane, left, add } = backlog({ repairBufferBytes: 1000 });
  const text = "the backplane is away and 1000 bytes wait for it (repairBufferBytes)";
  add("a", 244);
  const more = add("b", 244);
  await assertRejects(() => add("c", 1), BackplaneUnavailableError, text);
  // What was withdrawn or has left makes room.
  clock.advance(5000);
  await assertRejects(() => more);
  add("d", 744);
  await assertRejects(() => add("e", 0), BackplaneUnavailableError, text);
  backplane.state = "open";
  kept.leave();
  backplane.state = "reconnecting";
  add("f", 744);
  assertEquals(left, ["d 744"]);
});

Deno.test("Backlog.close() rejects what waits, and leaves no timer", async () => {
  const { kept, clock, backplane, left, add } = backlog();
  const waiting = add("a");
  kept.close();
  await assertRejects(() => waiting, BackplaneClosedError, "the backplane was closed meanwhile");
  assertEquals(clock.pending, 0);
  backplane.state = "open";
  kept.leave();
  assertEquals(left, []);
});
