/**
 * Connections that go to another node over the bus, because their client has come there or their node drains.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { resolveDrainOptions } from "../../../hub/options/serving.ts";
import { drainHubs } from "../../../hub/serving/drain.ts";
import type { ClaimOutcome } from "../../../hub/serving/claims.ts";
import type { HubContext, HubUser } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { type MovingClient, requestOf } from "./moving_client.ts";
import { type FarmNode, MovingFarm } from "./moving_farm.ts";

const ANN = { id: "ann" };

/** The client's socket has come to a node, which claims the connection. */
function claim(node: FarmNode, id = "c1", user: HubUser | null = ANN, timeout = 2000) {
  return node.hub.handovers.claim(
    id,
    { user: user ?? undefined, request: requestOf("again") },
    timeout,
  );
}

/** Lets time pass until a promise settles. */
async function passing<T>(farm: MovingFarm, promise: Promise<T>): Promise<T> {
  let over = false;
  promise.finally(() => over = true).catch(() => {});
  for (let step = 0; !over && step < 400; step++) await farm.pass(50);
  return await promise;
}

/** The client comes back where its connection is. */
function comeBack(client: MovingClient, outcome: ClaimOutcome): void {
  assert(typeof outcome === "object", `the claim is ${outcome}`);
  client.connection = outcome.connection;
  client.peer.comeBack();
}

function drain(node: FarmNode, options = {}): Promise<void> {
  node.cluster.become("draining");
  const { signal } = new AbortController();
  return drainHubs([node.hub], resolveDrainOptions(options), node, signal, true);
}

Deno.test("HubHandovers.claim() brings a connection here that another node has", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1", "ann");
  await old.groups.add("c1", "g");
  third.clients.group("g").send("heard", "before");
  await settle();
  client.peer.cut(true);
  const { outcome } = claim(home);
  third.clients.group("g").send("heard", "meanwhile");
  comeBack(client, await passing(farm, outcome));
  third.clients.group("g").send("heard", "after");
  await settle();
  client.peer.handle();
  assertEquals(client.peer.heard, ["before", "meanwhile", "after"]);
  assertEquals([old.hub.connectionCount, home.hub.connectionCount], [0, 1]);
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [["resumed", 1]]);
});

Deno.test("HubHandovers.claim() tells when the connection is another user's, or nowhere", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  await farm.connect(0, "c1", "ann");
  assertEquals(await passing(farm, claim(home, "c1", { id: "bob" }).outcome), "denied");
  assertEquals(await passing(farm, claim(home, "c1", null).outcome), "denied");
  assertEquals(await passing(farm, claim(home, "c2").outcome), "late");
  const abandoned = claim(home, "c2");
  abandoned.abandon();
  assertEquals(await abandoned.outcome, "late");
  assertEquals(old.hub.connectionCount, 1);
});

Deno.test("HubHandovers.claim() succeeds although the bus loses what nodes say to each other", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  for (const lossy of [old, home]) {
    const client = await farm.connect(0, "c1", "ann");
    client.peer.cut(true);
    let left = 3;
    lossy.backplane.loses = (channel) => /node:|connection:/.test(channel) && left-- > 0;
    const { outcome } = claim(home);
    comeBack(client, await passing(farm, outcome));
    assert(left <= 0);
    await farm.pass(1000);
    assertEquals([old.hub.connectionCount, home.hub.connectionCount], [0, 1]);
    assertEquals(old.hub.handovers.giving, false);
    client.connection.close({});
    await client.connection.finished;
  }
});

Deno.test("HubHandovers gives a state up no sooner because the bus is away", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  client.peer.cut(true);
  home.backplane.loses = () => true;
  const { outcome } = claim(home);
  await settle();
  assertEquals([old.hub.connectionCount, old.hub.handovers.giving], [0, true]);
  for (const { backplane } of farm.nodes) backplane.lose();
  await farm.pass(30_000);
  home.backplane.loses = () => false;
  for (const { backplane } of farm.nodes) backplane.recover();
  comeBack(client, await passing(farm, outcome));
  assertEquals(home.hub.connectionCount, 1);
  assert(!old.logger.lines.some((line) => line.includes("ended on its way")));
});

Deno.test("HubHandovers.claim() waits while a call runs", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using farm = await MovingFarm.start(2, { methods: { wait: () => promise } });
  const client = await farm.connect(0, "c1", "ann");
  client.peer.send({ type: 1, invocationId: "1", target: "wait", arguments: [] });
  await settle();
  client.peer.cut(true);
  const { outcome } = claim(farm.node(1), "c1", ANN, 5000);
  await farm.pass(1000);
  assertEquals(farm.node(0).hub.connectionCount, 1);
  resolve();
  comeBack(client, await passing(farm, outcome));
  const answers = client.connection.conversation?.reconnect?.state.unacknowledged;
  assertEquals([answers?.length, farm.node(1).hub.connectionCount], [1, 1]);
});

Deno.test("drainHubs() lets running calls end, leaves further ones unread, and cuts the pipe without a word", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const called: unknown[] = [];
  const methods = {
    wait: (_context: HubContext<never>, text: string) => {
      called.push(text);
      return text === "first" ? promise : text;
    },
  };
  await using farm = await MovingFarm.start(2, { methods });
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  const wait = (text: string) => (
    { type: 1, invocationId: text, target: "wait", arguments: [text] }
  );
  client.peer.send(wait("first"));
  await settle();
  const drained = drain(old);
  await farm.pass(200);
  client.peer.send(wait("second"));
  await farm.pass(200);
  assertEquals([called, client.pipe.ends], [["first"], []]);
  resolve("done");
  await farm.pass(200);
  assertEquals(client.pipe.ends, ["dropped"]);
  const types = (client.pipe.records as { type?: number }[]).map(({ type }) => type);
  assert(!types.includes(7), `a Close message: ${types}`);
  client.peer.cut(false);
  comeBack(client, await passing(farm, claim(home).outcome));
  await passing(farm, drained);
  assertEquals(called, ["first", "second"]);
  assertEquals([old.hub.connectionCount, home.hub.connectionCount], [0, 1]);
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [["resumed", 1]]);
});

Deno.test("drainHubs() parks a connection whose client does not come back, and a third node gets it", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, ...others] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1", "ann");
  await old.groups.add("c1", "g");
  client.peer.cut(false);
  await passing(farm, drain(old));
  assertEquals(farm.nodes.map(({ hub }) => hub.connectionCount), [0, 0, 0]);
  others[0]?.clients.group("g").send("heard", "while parked");
  await farm.end(old);
  await farm.pass(3000);
  for (const home of others) {
    comeBack(client, await passing(farm, claim(home).outcome));
    await farm.pass(1000);
    assertEquals(home.hub.connectionCount, 1);
  }
  client.peer.handle();
  assertEquals(client.peer.heard, ["while parked"]);
  assertEquals(farm.hooks.map(({ hook }) => hook), ["resumed", "resumed"]);
});

Deno.test("drainHubs() sends on what is parked at its node", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, keeper] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  client.peer.cut(false);
  await passing(farm, drain(old));
  await farm.end(old);
  const last = await farm.begin();
  await passing(farm, drain(keeper));
  await farm.end(keeper);
  comeBack(client, await passing(farm, claim(last).outcome));
  assertEquals(last.hub.connectionCount, 1);
});

Deno.test("drainHubs() asks a client to reconnect whose socket it cannot drop", async () => {
  await using farm = await MovingFarm.start(2);
  const client = await farm.connect(0, "c1", "ann");
  Object.assign(client.pipe, { drop: undefined });
  await passing(farm, drain(farm.node(0)));
  assertEquals([farm.node(0).hub.connectionCount, client.pipe.ends], [0, [1000]]);
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [["disconnected", 0]]);
});

Deno.test("a parked connection ends when its client does not come back, and the hub hears of that", async () => {
  await using farm = await MovingFarm.start(2, { disconnectTimeout: 2000 });
  const client = await farm.connect(0, "c1", "ann");
  client.peer.cut(false);
  await passing(farm, drain(farm.node(0)));
  await farm.pass(31_000);
  assertEquals(farm.hooks, []);
  await farm.pass(1500);
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [["disconnected", 1]]);
  assertEquals(farm.hooks[0]?.context.user, { id: "ann" });
  assertEquals(await passing(farm, claim(farm.node(1)).outcome), "late");
});

Deno.test("drainHubs() brings a client that has come back to the same node to another one", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  const drained = drain(old);
  await farm.pass(100);
  client.peer.cut(false);
  client.peer.comeBack();
  await farm.pass(1600);
  client.peer.cut(false);
  comeBack(client, await passing(farm, claim(home).outcome));
  await passing(farm, drained);
  assertEquals(home.hub.connectionCount, 1);
});

Deno.test("drainHubs() ends a stream that goes on with an error, and moves its connection", async () => {
  const methods = {
    async *endless(_context: HubContext<never>) {
      yield 1;
      await new Promise(() => {});
    },
  };
  await using farm = await MovingFarm.start(2, { methods });
  const client = await farm.connect(0, "c1", "ann");
  client.peer.send({ type: 4, invocationId: "1", target: "endless", arguments: [] });
  await settle();
  const drained = drain(farm.node(0), { streamTimeout: 500 });
  await farm.pass(400);
  assertEquals(client.pipe.ends, []);
  await farm.pass(200);
  assertEquals(client.pipe.records.at(-1), {
    type: 3,
    invocationId: "1",
    error: "An error occurred on the server while streaming results. HubException: " +
      "The server is closing.",
  });
  await farm.pass(100);
  assertEquals(client.pipe.ends, ["dropped"]);
  client.peer.cut(false);
  comeBack(client, await passing(farm, claim(farm.node(1)).outcome));
  await passing(farm, drained);
});

Deno.test("drainHubs() asks clients to reconnect that cannot move, or have nowhere to go", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, other] = [farm.node(0), farm.node(1)];
  const plain = await old.connect("plain");
  await passing(farm, drain(old));
  assertEquals(plain.closed.all, [{ type: 7, allowReconnect: true }]);
  const last = await farm.connect(1, "c2");
  await passing(farm, drain(other));
  assertEquals(last.pipe.records.at(-1), { type: 7, allowReconnect: true });
});
