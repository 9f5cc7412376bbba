import { assertEquals } from "@std/assert";
import type { ServerNodeEvent } from "../../../hub/cluster/node.ts";
import { NodeEvents } from "../../../hub/cluster/node_events.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** Events whose turns end when the test says so. */
function start() {
  const clock = new ManualClock();
  let end: (() => void) | undefined;
  const scheduler = new Scheduler(clock, (endTurn) => void (end = endTurn));
  const events = new NodeEvents(scheduler);
  const heard: ServerNodeEvent[] = [];
  events.listen((event) => heard.push(event));
  const endTurn = async () => {
    end?.();
    for (let step = 0; step < 5; step++) await Promise.resolve();
  };
  return { events, heard, endTurn };
}

Deno.test("NodeEvents.tell() tells of some hundred nodes in a turn, and of the rest later, in order", async () => {
  const { events, heard, endTurn } = start();
  const names = Array.from({ length: 1000 }, (_, node) => `n${node}`);
  for (const node of names) events.tell({ node, state: "up", before: undefined });
  // Each change comes at once as long as the turn has time.
  const { length } = heard;
  assertEquals(length > 100 && length < 1000, true, `${length}`);
  for (let turn = 0; turn < 20; turn++) await endTurn();
  assertEquals(heard.map(({ node }) => node), names);
});

Deno.test("NodeEvents.tell() tells changes of a node as one if they come too fast", async () => {
  const { events, heard, endTurn } = start();
  const listening = events.listen(() => {
    // While one event is told, others come.
    if (heard.length !== 1) return;
    for (let change = 0; change < 1001; change++) {
      const up = change % 2 === 0;
      events.tell({ node: "b", state: up ? "up" : "dead", before: up ? undefined : "up" });
      events.tell({ node: "c", state: up ? "up" : "dead", before: up ? "dead" : "up" });
    }
    events.tell({ node: "c", state: "dead", before: "up" });
  });
  events.tell({ node: "a", state: "up", before: undefined });
  for (let turn = 0; turn < 5; turn++) await endTurn();
  listening[Symbol.dispose]();
  assertEquals(heard, [
    { node: "a", state: "up", before: undefined },
    { node: "b", state: "up", before: undefined },
  ]);
});

Deno.test("NodeEvents keeps the changes of 2,000 nodes for listeners that are slow", async () => {
  const { events, heard, endTurn } = start();
  for (let node = 0; node < 10_000; node++) {
    events.tell({ node: `n${node}`, state: "up", before: undefined });
  }
  const told = heard.length;
  for (let turn = 0; turn < 50; turn++) await endTurn();
  assertEquals(heard.length, told + 2000);
  assertEquals(heard.at(-1)?.node, "n9999");
});
