import { assertEquals } from "@std/assert";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

function log() {
  const clock = new ManualClock();
  const entries: string[] = [];
  const note = (level: string) => (...parts: unknown[]) =>
    void entries.push([level, ...parts].join(" "));
  const logger = {
    debug: note("debug"),
    error: note("error"),
    info: note("info"),
    warn: note("warn"),
  };
  return { clock, entries, limited: new LimitedLog(logger, clock) };
}

Deno.test("LimitedLog logs the first entry of a kind, and a minute later how many followed", () => {
  const { clock, entries, limited } = log();
  limited.log("error", "a", "A failed:", new Error("first"));
  limited.log("error", "a", "A failed:", new Error("second"));
  limited.log("error", "a", "A failed:", new Error("third"));
  limited.log("warn", "b", "B failed");
  assertEquals(entries, ["error A failed: Error: first", "warn B failed"]);
  clock.advance(59_999);
  limited.sweep();
  assertEquals(entries.length, 2);
  clock.advance(1);
  limited.sweep();
  assertEquals(entries.slice(2), ["error A failed: (2 times more in a minute)"]);
  limited.log("error", "a", "A failed:", new Error("fourth"));
  assertEquals(entries.length, 3);
  clock.advance(60_000);
  limited.sweep();
  assertEquals(entries.slice(3), ["error A failed: (once more in a minute)"]);
  clock.advance(60_000);
  limited.sweep();
  limited.log("error", "a", "A failed:", new Error("fifth"));
  assertEquals(entries.slice(4), ["error A failed: Error: fifth"]);
});

Deno.test("LimitedLog tells at most 1000 kinds apart", () => {
  const { entries, limited } = log();
  for (let kind = 0; kind < 5000; kind++) limited.log("error", `${kind}`, `${kind} failed`);
  assertEquals(entries.length, 1001);
});

Deno.test("LimitedLog.logOne() says nothing of the first client in the entry about further ones", () => {
  const { clock, entries, limited } = log();
  for (const client of ["c1", "c2", "c3"]) {
    limited.logOne("info", "refused", "Calls are refused", `A call of ${client} is refused`);
  }
  clock.advance(60_000);
  limited.sweep();
  assertEquals(entries, [
    "info A call of c1 is refused",
    "info Calls are refused (2 times more in a minute)",
  ]);
});

Deno.test("LimitedLog.failure() tells errors apart by their places, whatever they say", () => {
  const { clock, entries, limited } = log();
  for (let n = 0; n < 100; n++) {
    const path = `/page${n}`;
    limited.failure("fetch failed:", new Error(`no ${path}`), `GET ${path} failed:`);
  }
  clock.advance(60_000);
  limited.sweep();
  assertEquals(entries, [
    "error GET /page0 failed: Error: no /page0",
    "error fetch failed: (99 times more in a minute)",
  ]);
});

Deno.test("LimitedLog.failure() reads few stacks, however many errors there are", () => {
  const { clock, entries, limited } = log();
  let reads = 0;
  function fail(text: string, line: number): void {
    const error = new Error("x");
    Object.defineProperty(error, "stack", { get: () => `Error: x\n at ${(reads++, line)}` });
    limited.failure(text, error);
  }
  for (let n = 0; n < 1000; n++) fail("A failed:", 1);
  assertEquals(reads, 20);
  // Nothing tells that place from the one before in the same second.
  fail("A failed:", 2);
  assertEquals(entries, ["error A failed: Error: x"]);
  fail("B failed:", 3);
  assertEquals(entries.slice(1), ["error B failed: Error: x"]);
  clock.advance(1000);
  fail("A failed:", 2);
  assertEquals(entries.slice(2), ["error A failed: Error: x"]);
  clock.advance(59_000);
  limited.sweep();
  assertEquals(entries.slice(3), ["error A failed: (1000 times more in a minute)"]);
});

Deno.test("LimitedLog outlives a logger that throws", () => {
  const clock = new ManualClock();
  let calls = 0;
  const fail = () => {
    calls++;
    throw new Error("the logger fails");
  };
  const limited = new LimitedLog({ debug: fail, error: fail, info: fail, warn: fail }, clock);
  limited.log("error", "a", "A failed:");
  limited.log("error", "a", "A failed:");
  limited.failure("B failed:", new Error("b"));
  clock.advance(60_000);
  limited.sweep();
  assertEquals(calls, 3);
});
