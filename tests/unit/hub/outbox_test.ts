import { setImmediate } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { Outbox } from "../../../hub/connection/outbox.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { Frame } from "../../../hub/protocol/frame.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { budgetLimits } from "../../../hub/serving/budget_limits.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { MemoryPipe } from "../../kit/pipe.ts";

/** Writes texts to a pipe. */
class TextOutbox {
  readonly pipe: MemoryPipe = new MemoryPipe();
  readonly #outbox: Outbox;

  constructor(scheduler: Scheduler) {
    const limits = resolveOptions({});
    const parts = { limits, budget: budgetLimits(limits), clock: new ManualClock(), scheduler };
    this.#outbox = new Outbox(this.pipe, parts);
  }

  write(text: string): void {
    this.#outbox.write(new Frame(text), true);
  }
}

function connected(scheduler = new Scheduler()): { outbox: TextOutbox; pipe: MemoryPipe } {
  const outbox = new TextOutbox(scheduler);
  return { outbox, pipe: outbox.pipe };
}

Deno.test("Outbox sends the first of an idle turn at once, and what follows as one write", async () => {
  const { outbox, pipe } = connected();
  for (const frame of ["a;", "b;", "c;"]) outbox.write(frame);
  assertEquals(pipe.writes, ["a;"]);
  await setImmediate();
  assertEquals(pipe.writes, ["a;", "b;c;"]);
});

/** One whose last turn had several frames. */
async function busy(): Promise<{ outbox: TextOutbox; pipe: MemoryPipe }> {
  const { outbox, pipe } = connected();
  for (const frame of ["a;", "b;"]) outbox.write(frame);
  await setImmediate();
  pipe.writes.length = 0;
  return { outbox, pipe };
}

Deno.test("Outbox after a turn with several frames waits for more, a turn longer if one is alone", async () => {
  const { outbox, pipe } = await busy();
  // However long ago that was.
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  for (const frame of ["c;", "d;"]) outbox.write(frame);
  assertEquals(pipe.writes, []);
  await setImmediate();
  assertEquals(pipe.writes, ["c;d;"]);
  outbox.write("e;");
  await setImmediate();
  assertEquals(pipe.writes, ["c;d;"]);
  outbox.write("f;");
  await setImmediate();
  assertEquals(pipe.writes, ["c;d;", "e;f;"]);
});

Deno.test("Outbox is idle again after eight turns with a single frame", async () => {
  const { outbox, pipe } = await busy();
  for (let single = 1; single <= 8; single++) {
    outbox.write(`${single};`);
    assertEquals(pipe.writes.length, single - 1);
    for (let turn = 0; turn < 2; turn++) await setImmediate();
    assertEquals(pipe.writes.length, single);
  }
  outbox.write("at once;");
  assertEquals(pipe.writes.at(-1), "at once;");
});

Deno.test("Outbox of a turn that has sent to many at once already waits for its end", async () => {
  const scheduler = new Scheduler();
  const all = Array.from({ length: 20 }, () => connected(scheduler));
  for (const { outbox } of all) outbox.write("a;");
  const sent = () => all.map(({ pipe }) => pipe.writes.length);
  assertEquals(sent(), [...Array(16).fill(1), ...Array(4).fill(0)]);
  for (const { outbox } of all) outbox.write("b;");
  await setImmediate();
  assertEquals(all.map(({ pipe }) => pipe.writes.at(-1)), [
    ...Array(16).fill("b;"),
    ...Array(4).fill("a;b;"),
  ]);
});

Deno.test("Outbox that waited because its turn sent to many is idle all the same", async () => {
  const scheduler = new Scheduler();
  for (let other = 0; other < 16; other++) connected(scheduler).outbox.write("a;");
  const { outbox, pipe } = connected(scheduler);
  outbox.write("a;");
  assertEquals(pipe.writes, []);
  await setImmediate();
  assertEquals(pipe.writes, ["a;"]);
  outbox.write("b;");
  assertEquals(pipe.writes, ["a;", "b;"]);
});

Deno.test("Outbox does not take the rest of a turn with more than 64 KiB for a lone frame", async () => {
  const { outbox, pipe } = await busy();
  const frames = ["c", "d"].map((letter) => letter.repeat(40_000));
  for (const frame of frames) outbox.write(frame);
  await setImmediate();
  assertEquals(pipe.writes, frames);
});

Deno.test("Outbox lets nothing overtake what waits, also what another writes when the turn ends", async () => {
  const scheduler = new Scheduler();
  const { outbox, pipe } = connected(scheduler);
  // It stands before the outbox, as an inbox does that reads on.
  scheduler.atTurnEnd({ turnEnded: () => outbox.write("c;") });
  for (const frame of ["a;", "b;"]) outbox.write(frame);
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  assertEquals(pipe.writes.join(""), "a;b;c;");
});

Deno.test("Outbox writes at most 64 KiB at a time, and a larger frame alone", async () => {
  const { outbox, pipe } = connected();
  const frames = [10, 40_000, 40_000, 100_000, 10, 10].map((length, i) => `${i}`.repeat(length));
  for (const frame of frames) outbox.write(frame);
  await setImmediate();
  const [first = "", second = "", third = "", fourth = "", ...others] = frames;
  assertEquals(pipe.writes, [first, second, third, fourth, others.join("")]);
});
