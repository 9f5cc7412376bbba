import { assert, assertEquals } from "@std/assert";
import { MemoryBus } from "../../../mod.ts";
import { ask } from "../../kit/http.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, until } from "../../kit/wait.ts";
import { startFarm } from "./farm.ts";

type Farm = Awaited<ReturnType<typeof startFarm>>;

/** Whether ten newcomers in a row go to the second node, and not even try the first. */
async function leavesFirst({ balancer, nodes: { a } }: Farm): Promise<boolean> {
  const before = a.requests;
  for (let newcomers = 0; newcomers < 10 && a.requests === before; newcomers++) {
    const { status } = await ask(balancer.url("/hub/negotiate?negotiateVersion=1"), {
      method: "POST",
    });
    assertEquals(status, 200);
  }
  return a.requests === before;
}

/** Connects clients until `name` has one more; all stay connected until `clients` is disposed. */
async function clientOf(name: string, { balancer }: Farm, clients: AsyncDisposableStack) {
  for (let tries = 0; tries < 40; tries++) {
    const client = clients.use(await SignalRClient.connect(balancer.url("/hub")));
    if (await client.invoke("name") === name) return client;
  }
  throw new Error(`Cannot find node ${name}: 40 clients are with the other node`);
}

Deno.test("HAProxy gives no clients to a node that starts, and clients when the node is ready", async () => {
  const bus = new MemoryBus();
  bus.stop();
  await using farm = await startFarm("HAProxy", bus);
  await until(() => leavesFirst(farm));
  assertEquals(farm.nodes.a.node.server.health().state, "starting");
  bus.start();
  await using clients = new AsyncDisposableStack();
  await until(async () => !await leavesFirst(farm));
  await clientOf("a", farm, clients);
  // A node that has been ready stays so while its bus is away.
  bus.stop();
  assertEquals(farm.nodes.a.node.server.health().ready, true);
});

Deno.test("HAProxy leaves a node that drains, and keeps its calls", async () => {
  await using farm = await startFarm("HAProxy");
  await using clients = new AsyncDisposableStack();
  const caller = await clientOf("a", farm, clients);
  // HAProxy prefers the node with fewer connections: the first.
  for (let others = 0; others < 2; others++) await clientOf("b", farm, clients);
  const { a } = farm.nodes;
  const call = caller.invoke("wait");
  // A failure of this test ends the client first.
  call.catch(() => {});
  await bounded(a.began);
  const drain = a.node.server.drain({ timeout: 60_000 });
  await until(() => leavesFirst(farm));
  assert(a.node.server.health().connections > 0);
  a.endWaits();
  assertEquals(await bounded(call), null);
  await bounded(drain);
});
