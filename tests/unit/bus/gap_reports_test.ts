import { assertEquals } from "@std/assert";
import { GapReports, type MessageGapEvent } from "../../../hub/bus/gap_reports.ts";
import { MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** Reports of a server with so many hubs, whose numbers stand for the hubs. */
function reports(hubs: number) {
  const time = new ManualClock();
  const bus = new MemoryBus();
  const backplane = new MemoryBackplane(bus);
  const told: MessageGapEvent[] = [];
  const gaps = new GapReports({ backplane, time }, (event) => told.push(event));
  for (let hub = 1; hub <= hubs; hub++) gaps.join(hub);
  const outage = async () => {
    bus.stop();
    bus.start();
    await endOfTurn();
  };
  /** What was told since the last call, without the times. */
  const take = () =>
    told.splice(0).map(({ status, gap: { since: _since, until: _until, ...gap } }) => ({
      status,
      ...gap,
    }));
  return { backplane, time, gaps, told, outage, take };
}

Deno.test("GapReports tells of an outage when every hub has repaired what was missed", async () => {
  const { gaps, outage, take } = reports(2);
  await outage();
  gaps.settled(1);
  gaps.settled(1);
  assertEquals(take(), []);
  gaps.settled(2);
  assertEquals(take(), [{ status: "open", repaired: true }]);
  gaps.settled(1);
  assertEquals(take(), []);
});

Deno.test("GapReports tells of an outage at once where there is no hub", async () => {
  const { outage, take } = reports(0);
  await outage();
  assertEquals(take(), [{ status: "open", repaired: true }]);
});

Deno.test("GapReports counts what is missing after an outage, with the channels", async () => {
  const { gaps, outage, take } = reports(2);
  await outage();
  gaps.lost("a", 2);
  gaps.settled(1);
  gaps.lost("b", 0);
  gaps.lost("a", 3);
  gaps.settled(2);
  const report = { status: "open", repaired: false, channels: ["a", "b"], missing: 5 } as const;
  assertEquals(take(), [report]);
  await outage();
  gaps.lost("b", 0);
  gaps.settled(1);
  gaps.settled(2);
  assertEquals(take(), [{ status: "open", repaired: false, channels: ["b"] }]);
});

Deno.test("GapReports joins losses within 250 ms that no outage explains", () => {
  const { time, gaps, told, take } = reports(1);
  const since = time.date();
  gaps.lost("a", 1);
  time.advance(249);
  gaps.lost("b", 1);
  assertEquals(take(), []);
  time.advance(1);
  assertEquals(told.map(({ gap }) => gap.since), [since]);
  const report = { status: "open", repaired: false, missing: 2 } as const;
  assertEquals(take(), [{ ...report, channels: ["a", "b"] }]);
  time.advance(1000);
  gaps.lost("c", 2);
  time.advance(250);
  assertEquals(take(), [{ ...report, channels: ["c"] }]);
});

Deno.test("GapReports joins a loss and the outage that follows at once", async () => {
  const { time, gaps, outage, take } = reports(1);
  gaps.lost("a", 1);
  await outage();
  time.advance(250);
  assertEquals(take(), []);
  gaps.settled(1);
  assertEquals(take(), [{ status: "open", repaired: false, channels: ["a"], missing: 1 }]);
  time.advance(1000);
  assertEquals(take(), []);
});

Deno.test("GapReports joins an outage with one before it that is not repaired", async () => {
  const { time, gaps, told, outage } = reports(1);
  await outage();
  await outage();
  gaps.settled(1);
  assertEquals(told.map(({ gap }) => gap.repaired), [true]);
  assertEquals(time.pending, 0);
});

Deno.test("GapReports names at most 1,000 channels", () => {
  const { time, gaps, told } = reports(1);
  for (let channel = 0; channel < 1500; channel++) gaps.lost(`${channel}`, 1);
  time.advance(250);
  assertEquals(told.map(({ gap }) => [gap.channels?.length, gap.missing]), [[1000, 1500]]);
});

Deno.test("GapReports calls no outage repaired for ten minutes after a node without numbers", async () => {
  const { time, gaps, outage, take } = reports(1);
  gaps.unnumbered();
  time.advance(599_999);
  await outage();
  gaps.lost("a", 1);
  gaps.settled(1);
  // More channels than are known may be concerned.
  assertEquals(take(), [{ status: "open", repaired: false, missing: 1 }]);
  time.advance(1);
  await outage();
  gaps.settled(1);
  assertEquals(take(), [{ status: "open", repaired: true }]);
});

Deno.test("GapReports.close() tells of a loss that was not told yet, and ends the reports", async () => {
  const { time, gaps, outage, take } = reports(1);
  gaps.lost("a", 1);
  gaps.close();
  assertEquals(take(), [{ status: "open", repaired: false, channels: ["a"], missing: 1 }]);
  gaps.close();
  await outage();
  time.advance(1000);
  assertEquals([take(), time.pending], [[], 0]);
});

Deno.test("GapReports.close() tells of an outage whose repair has not ended", async () => {
  const { time, gaps, outage, take } = reports(2);
  await outage();
  gaps.lost("a", 2);
  gaps.settled(1);
  gaps.close();
  // What is missing beside that nobody knows.
  assertEquals(take(), [{ status: "open", repaired: false, missing: 2 }]);
  gaps.settled(2);
  assertEquals([take(), time.pending], [[], 0]);
});

Deno.test("GapReports tells of an outage whose repair ends because the bus is closed", async () => {
  const { backplane, gaps, outage, take } = reports(2);
  await outage();
  gaps.lost("a", 2);
  gaps.settled(1);
  await backplane.close();
  assertEquals(take(), [{ status: "closed", repaired: false, missing: 2 }]);
  gaps.settled(2);
  assertEquals(take(), []);
});
