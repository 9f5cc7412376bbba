import { assertEquals, assertRejects } from "@std/assert";
import { Questions } from "../../../hub/bus/questions.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** Questions whose time the test moves. */
function start<I, A>(clock = new ManualClock(), log = new KeptLog()): Questions<I, A> {
  const limitedLog = new LimitedLog(log, clock);
  return new Questions<I, A>({ clock, scheduler: new Scheduler(), limitedLog });
}

const late = () => new Error("late");

Deno.test("Questions.ask() resolves with the first answer; a second is ignored", async () => {
  const questions = start<number, string>();
  const answer = questions.ask(1, { timeout: 10, late });
  questions.settle(2, "of another question");
  questions.settle(1, "first");
  questions.settle(1, "second");
  assertEquals(await answer, "first");
});

Deno.test("Questions.ask() rejects when its time is over, and not before", async () => {
  const clock = new ManualClock();
  const questions = start<number, string>(clock);
  const settled: string[] = [];
  questions.expect(1, { timeout: 10, late }, (outcome) => settled.push(String(outcome)));
  clock.advance(9);
  assertEquals(settled, []);
  clock.advance(1);
  assertEquals(settled, ["Error: late"]);
  // A later answer finds no question.
  questions.settle(1, "answer");
  assertEquals(settled.length, 1);
  await assertRejects(() => {
    const answer = questions.ask(2, { timeout: 5, late });
    clock.advance(5);
    return answer;
  }, "late");
});

Deno.test("Questions with one timeout share a timer, and none is left when all are answered", () => {
  const clock = new ManualClock();
  const questions = start<number, string>(clock);
  const settled: string[] = [];
  const expect = (id: number, timeout: number) =>
    questions.expect(id, { timeout, late }, (outcome) => settled.push(`${id} ${outcome}`));
  for (let id = 0; id < 1000; id++) expect(id, 10);
  assertEquals(clock.pending, 1);
  clock.advance(4);
  expect(1000, 5);
  expect(1001, 10);
  // An id that is asked again has the time of its last question.
  expect(0, 20);
  for (let id = 1; id < 1000; id++) questions.settle(id, "answer");
  assertEquals(clock.pending, 3);
  settled.length = 0;
  clock.advance(100);
  assertEquals(settled, ["1000 Error: late", "1001 Error: late", "0 Error: late"]);
  assertEquals(clock.pending, 0);
});

Deno.test("Questions.abandon() ends the questions of one connection, and leaves the others", () => {
  const questions = start<string, string>();
  const ended: string[] = [];
  for (const connectionId of ["ann", "bob"]) {
    for (const id of [`${connectionId} 1`, `${connectionId} 2`]) {
      questions.expect(id, { timeout: 10, late, connectionId }, () => ended.push(id));
    }
  }
  assertEquals(questions.connectionOf("ann 1"), "ann");
  questions.settle("ann 1", "answer");
  questions.abandon("ann", new Error("gone"));
  questions.abandon("nobody", new Error("gone"));
  assertEquals(ended, ["ann 1", "ann 2"]);
  assertEquals(questions.connectionOf("ann 2"), undefined);
  questions.close(new Error("closed"));
  assertEquals(ended, ["ann 1", "ann 2", "bob 1", "bob 2"]);
});

Deno.test("Questions.abandon() ends every question, though one of them throws", () => {
  const log = new KeptLog();
  const questions = start<number, string>(new ManualClock(), log);
  const ended: number[] = [];
  for (const id of [1, 2, 3]) {
    questions.expect(id, { timeout: 10, late, connectionId: "ann" }, () => {
      if (id === 1) throw new Error("unforeseen");
      ended.push(id);
    });
  }
  questions.abandon("ann", new Error("gone"));
  assertEquals([ended, log.lines.length], [[2, 3], 1]);
});

Deno.test("Questions.expect() never waits less than a timer can: a longer time is cut, not wrapped", () => {
  const clock = new ManualClock();
  const questions = start<number, string>(clock);
  const settled: unknown[] = [];
  questions.expect(1, { timeout: 10 * 0x7fffffff, late }, (outcome) => settled.push(outcome));
  clock.advance(0x7ffffffe);
  assertEquals(settled, []);
  clock.advance(1);
  assertEquals(settled.length, 1);
});

Deno.test("Questions.expect() of an id that is open already gives the later question its whole time", () => {
  const clock = new ManualClock();
  const questions = start<number, string>(clock);
  const settled: string[] = [];
  questions.expect(1, { timeout: 10, late }, () => settled.push("first"));
  clock.advance(5);
  questions.expect(1, { timeout: 10, late }, () => settled.push("second"));
  clock.advance(9);
  assertEquals(settled, []);
  clock.advance(1);
  assertEquals(settled, ["second"]);
  assertEquals(clock.pending, 0);
});
