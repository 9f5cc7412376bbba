import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BackplaneClosedError,
  createHubServer,
  defineHub,
  type HubContext,
  MemoryBackplane,
  MemoryBus,
} from "../../../mod.ts";
import { endHubs } from "../../../hub/serving/drain.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { BUSES } from "./buses.ts";
import { Node, Pair } from "./nodes.ts";
import { PipeNode, type TestClient } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const hub = defineHub({ methods: { nothing(_context: HubContext<Record<never, never>>) {} } });

Deno.test("HubServer.close() ends every client, then the backplane, once", async () => {
  const backplane = new MemoryBackplane();
  await using node = await Node.start(backplane);
  await using client = await node.connect();
  await Promise.all([node.server.close(), node.server.close()]);
  assertEquals(node.server.status, "closed");
  assertEquals((await client.closed.count(1)).length, 1);
  assertEquals(node.departed.all, [node.departed.all[0]]);
  await assertRejects(() => backplane.publish("x", new Uint8Array()), BackplaneClosedError);
  await assertRejects(() => node.clients.all.send("heard", 1), BackplaneClosedError);
  const response = await fetch(`${node.url}/negotiate`, { method: "POST" });
  assertEquals(response.status, 503);
  await response.body?.cancel();
  await node.server.close();
});

for (const [driver, open] of Object.entries(BUSES)) {
  Deno.test(`HubServer.close() lets what was sent right before it reach others over ${driver}`, async () => {
    await using bus = await open();
    await using pair = await Pair.start(bus);
    const { one, two } = pair;
    await using there = await two.connect();
    // So that both know how far it is to the bus.
    await one.clients.all.send("heard", "first");
    one.clients.all.send("heard", "goodbye").catch(() => {});
    await one.server.close();
    await there.heard.count(2);
    assertEquals(there.texts, ["first", "goodbye"]);
  });
}

Deno.test("HubServer is disposed as it is closed", async () => {
  const backplane = new MemoryBackplane();
  {
    await using server = createHubServer({ hubs: { "/hub": hub }, backplane });
    assertEquals(server.status, "open");
  }
  assertEquals(backplane.status, "closed");
});

Deno.test("createHubServer() with the backplane of another server throws TypeError", async () => {
  const backplane = new MemoryBackplane();
  await using _server = createHubServer({ hubs: { "/hub": hub }, backplane });
  assertThrows(() => createHubServer({ hubs: { "/hub": hub }, backplane }), TypeError, "another");
});

Deno.test("disconnected() still knows its connection: its groups, and whom to tell", async () => {
  const outcomes = new Events<string>();
  const bus = new MemoryBus();
  const backplane = new RecordingBackplane(bus);
  await using node = await PipeNode.start(backplane, {
    async disconnected({ connectionId, groups, clients, user }: HubContext<TestClient>, error) {
      const before = backplane.published.length;
      await groups.remove(connectionId, "left by hand");
      await groups.add(connectionId, "joined too late");
      await clients.caller.send("heard", "nobody listens");
      // All of that concerned a connection of this node.
      outcomes.add(`${backplane.published.length - before} publishes`);
      await clients.group("group").send("heard", `${user?.id} has gone, ${error?.message}`);
    },
  });
  await using other = await PipeNode.start(new RecordingBackplane(bus));
  const ann = await node.connect("ann", "user");
  const [bob, cid] = [await node.connect("bob"), await other.connect("cid")];
  for (const group of ["group", "left by hand"]) await node.groups.add("ann", group);
  await node.groups.add("bob", "group");
  await node.groups.add("cid", "group");
  await ann.leave();
  for (const client of [bob, cid]) {
    await client.heard.count(1);
    assertEquals(client.texts, ["user has gone, undefined"]);
  }
  assertEquals(outcomes.all, ["0 publishes"]);
  assertEquals(ann.texts, []);
  node.advance(1000);
  const groups = [...backplane.channels].filter((channel) => channel.includes(":group:"));
  assertEquals(groups, ["hub:group:group"]);
});

Deno.test("disconnected() runs while nothing is delivered to its connection any more", async () => {
  const gate = Promise.withResolvers<void>();
  const gone = new Events<string>();
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new MemoryBackplane(bus), {
    disconnected({ connectionId }: HubContext<never, never>) {
      gone.add(connectionId);
      return gate.promise;
    },
  });
  await using other = await PipeNode.start(new MemoryBackplane(bus));
  const [ann, bob] = [await node.connect("ann", "user"), await node.connect("bob", "user")];
  for (const id of ["ann", "bob"]) await node.groups.add(id, "group");
  const left = ann.leave();
  await gone.count(1);
  for (const { clients } of [node, other]) {
    await clients.all.send("heard", 1);
    await clients.group("group").send("heard", 1);
    await clients.user("user").send("heard", 1);
    await clients.client("ann").send("heard", 1);
  }
  await bob.heard.count(6);
  assertEquals(ann.heard.all, []);
  gate.resolve();
  await left;
});

Deno.test("disconnected() that throws is logged, and its connection is forgotten all the same", async () => {
  const backplane = new RecordingBackplane();
  await using node = await PipeNode.start(backplane, {
    disconnected: () => Promise.reject(new Error("no")),
  });
  const ann = await node.connect("ann");
  await node.groups.add("ann", "group");
  await ann.leave();
  assertEquals(node.logger.errors.all.length, 1);
  assertEquals([...node.hub.connections], []);
  node.advance(1000);
  assert(!backplane.channels.has("hub:group:group"));
});

Deno.test("HubServer.close() waits for disconnected(), which can still reach other nodes, up to 5 s", async () => {
  const bus = new MemoryBus();
  const gate = Promise.withResolvers<void>();
  const node = await PipeNode.start(new MemoryBackplane(bus), {
    async disconnected({ clients, connectionId }: HubContext<TestClient>) {
      await clients.others.send("heard", connectionId);
      await gate.promise;
    },
  });
  await using other = await PipeNode.start(new MemoryBackplane(bus));
  const cid = await other.connect("cid");
  await Promise.all([node.connect("ann"), node.connect("bob")]);
  let ended = false;
  const ending = endHubs([node.hub], node).then(() => ended = true);
  await cid.heard.count(2);
  node.clock.advance(4999);
  await endOfTurn();
  assertEquals(ended, false);
  node.clock.advance(1);
  await bounded(ending);
  gate.resolve();
  await node[Symbol.asyncDispose]();
});
