import { assert, assertEquals, assertRejects } from "@std/assert";
import { drainHubs } from "../../../hub/serving/drain.ts";
import { resolveDrainOptions } from "../../../hub/options/serving.ts";
import { type DrainOptions, type HubContext, MemoryBackplane } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { Node } from "./nodes.ts";
import type { PipeClient } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";

/** Drains a node whose time is moved by hand. */
function drain(
  node: PipeNode<MemoryBackplane>,
  options: DrainOptions = {},
  cut = new AbortController().signal,
): { readonly drained: Promise<void>; readonly done: boolean } {
  const state = { drained: Promise.resolve(), done: false };
  state.drained = drainHubs([node.hub], resolveDrainOptions(options), node, cut);
  state.drained.then(() => state.done = true);
  return state;
}

/** A node whose `wait` method runs until `finish` is called. */
async function startWaiting() {
  const { promise, resolve: finish } = Promise.withResolvers<string>();
  const started = new Events<string>();
  const node = await PipeNode.start(new MemoryBackplane(), {
    methods: {
      wait({ connectionId }: HubContext<never, never>) {
        started.add(connectionId);
        return promise;
      },
    },
  });
  return { node, started, finish };
}

/** How many of the clients have been asked to reconnect elsewhere. */
function retired(clients: readonly PipeClient[]): number {
  return clients.filter(({ closed }) => closed.all[0]?.allowReconnect === true).length;
}

Deno.test("drain() asks every client to reconnect elsewhere, one batch an interval", async () => {
  await using node = await PipeNode.start(new MemoryBackplane());
  const ids = Array.from({ length: 25 }, (_, index) => `client ${index}`);
  const clients = await Promise.all(ids.map((id) => node.connect(id)));
  const draining = drain(node, { batch: 10, interval: 100 });
  for (const expected of [10, 20, 25]) {
    await endOfTurn();
    assertEquals(retired(clients), expected);
    assertEquals(draining.done, expected === 25);
    node.clock.advance(99);
    await endOfTurn();
    assertEquals(retired(clients), expected);
    node.clock.advance(1);
  }
  await draining.drained;
  assertEquals(node.clock.pending, 0);
});

Deno.test("drain() asks 100 clients every 100 ms and waits 30 s for their calls, unless told otherwise", async () => {
  const { node, started, finish } = await startWaiting();
  await using _node = node;
  const ids = Array.from({ length: 150 }, (_, index) => `client ${index}`);
  const clients = await Promise.all(ids.map((id) => node.connect(id)));
  const last = clients.at(-1);
  assert(last !== undefined);
  last.invoke("wait").catch(() => {});
  await started.count(1);
  const draining = drain(node);
  await endOfTurn();
  assertEquals(retired(clients), 100);
  node.clock.advance(99);
  await endOfTurn();
  assertEquals(retired(clients), 100);
  node.clock.advance(1);
  await endOfTurn();
  assertEquals(retired(clients), 149);
  node.clock.advance(29_899);
  await endOfTurn();
  assertEquals([retired(clients), draining.done], [149, false]);
  node.clock.advance(1);
  await bounded(draining.drained);
  assertEquals(retired(clients), 150);
  finish("late");
});

Deno.test("drain() without connections resolves at once", async () => {
  await using node = await PipeNode.start(new MemoryBackplane());
  await bounded(drain(node).drained);
  assertEquals(node.clock.pending, 0);
});

Deno.test("drain() lets running invocations finish, and starts no others", async () => {
  const { node, started, finish } = await startWaiting();
  await using _node = node;
  const client = await node.connect("ann");
  const idle = await node.connect("bob");
  const waiting = client.invoke("wait");
  await started.count(1);
  const draining = drain(node);
  const late = client.invoke("wait");
  late.catch(() => {});
  await endOfTurn();
  assertEquals(retired([idle, client]), 1);
  node.clock.advance(29_999);
  await endOfTurn();
  assertEquals(draining.done, false);
  finish("done");
  assertEquals(await waiting, "done");
  await bounded(draining.drained);
  assertEquals(retired([idle, client]), 2);
  assertEquals(started.all.length, 1);
  assertEquals(node.clock.pending, 0);
});

Deno.test("drain() cuts invocations that take longer than its timeout", async () => {
  const { node, started, finish } = await startWaiting();
  await using _node = node;
  const client = await node.connect("ann");
  client.invoke("wait").catch(() => {});
  await started.count(1);
  const draining = drain(node, { timeout: 500 });
  node.clock.advance(499);
  await endOfTurn();
  assertEquals(retired([client]), 0);
  node.clock.advance(1);
  await bounded(draining.drained);
  assertEquals(retired([client]), 1);
  finish("too late");
});

Deno.test("drain() cuts at its timeout also while batches are still to come", async () => {
  const { node, started, finish } = await startWaiting();
  await using _node = node;
  const stuck = await node.connect("ann");
  const next = await node.connect("bob");
  stuck.invoke("wait").catch(() => {});
  await started.count(1);
  const draining = drain(node, { timeout: 500, batch: 1, interval: 1000 });
  // The pauses take half of the timeout at most, so that the other half is for calls.
  node.clock.advance(249);
  await endOfTurn();
  assertEquals([retired([stuck]), retired([next])], [0, 0]);
  node.clock.advance(1);
  await endOfTurn();
  assertEquals([retired([stuck]), retired([next])], [0, 1]);
  node.clock.advance(249);
  await endOfTurn();
  assertEquals([retired([stuck]), draining.done], [0, false]);
  node.clock.advance(1);
  await bounded(draining.drained);
  assertEquals(retired([stuck]), 1);
  assertEquals(node.clock.pending, 0);
  finish("too late");
});

Deno.test("drain() is cut short by close", async () => {
  const { node, started, finish } = await startWaiting();
  await using _node = node;
  const clients = await Promise.all(["ann", "bob", "cid"].map((id) => node.connect(id)));
  for (const client of clients) client.invoke("wait").catch(() => {});
  await started.count(3);
  const cut = new AbortController();
  const draining = drain(node, { batch: 1 }, cut.signal);
  await endOfTurn();
  assertEquals(retired(clients), 0);
  cut.abort();
  await bounded(draining.drained);
  assertEquals(retired(clients), 3);
  assertEquals(node.clock.pending, 0);
  finish("too late");
});

Deno.test("HubServer.drain() refuses new clients with 503 and ends the others for reconnecting", async () => {
  await using node = await Node.start(new MemoryBackplane());
  await using client = await node.connect();
  const drained = node.server.drain();
  for (const [method, path] of [["POST", "/negotiate?negotiateVersion=1"], ["GET", ""]]) {
    const response = await fetch(node.url + path, { method: method ?? "GET" });
    assertEquals(response.status, 503);
    await response.body?.cancel();
  }
  await bounded(drained);
  // A Close with allowReconnect, and a client that was not told to reconnect.
  const [closed] = await client.closed.count(1);
  assertEquals(closed, undefined);
  await node.server.drain();
  await node.server.drain({ timeout: 1 });
});

Deno.test("HubServer.close() during drain() ends it at once, and both resolve", async () => {
  await using node = await Node.start(new MemoryBackplane());
  await using client = await node.connect();
  const stuck = client.connection.invoke("forever").catch((error: Error) => error);
  await node.running.count(1);
  let drained = false;
  const draining = node.server.drain().then(() => drained = true);
  await endOfTurn();
  assertEquals(drained, false);
  await bounded(node.server.close());
  await bounded(draining);
  assert(await stuck instanceof Error);
  await node.server.drain();
});

Deno.test("HubServer.drain() with an option out of its range rejects with RangeError and drains nothing", async () => {
  await using node = await Node.start(new MemoryBackplane());
  for (const options of [{ timeout: -1 }, { batch: 0 }, { interval: 1.5 }, { timeout: 2 ** 31 }]) {
    const [name = ""] = Object.keys(options);
    await assertRejects(() => node.server.drain(options), RangeError, name);
  }
  await using client = await node.connect();
  assertEquals(await client.connection.invoke("echo", 1), 1);
});
