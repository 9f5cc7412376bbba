import { assertEquals, assertRejects } from "@std/assert";
import { BackplaneUnavailableError, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { bounded } from "../../kit/wait.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const GROUP = "hub:group:group";

/** Two nodes on a bus that comes and goes. */
async function startNodes() {
  const bus = new MemoryBus();
  const node = await PipeNode.start(new RecordingBackplane(bus));
  const other = await PipeNode.start(new RecordingBackplane(bus));
  return { bus, node, other };
}

/** Asserts that a join fails when the bus has been away for `subscribeTimeout`, and not before. */
async function assertJoinFails(node: PipeNode<RecordingBackplane>): Promise<void> {
  const join = node.groups.add("ann", "group");
  let failed = false;
  join.catch(() => failed = true);
  node.advance(4999);
  await endOfTurn();
  assertEquals(failed, false);
  node.advance(1);
  await assertRejects(() => join, BackplaneUnavailableError, "not confirmed within 5000 ms");
}

/** Resolves when the bus is back for `node`. */
async function untilOpen(node: PipeNode<RecordingBackplane>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listener = node.backplane.onStatus(({ status }) => {
    if (status === "open") resolve();
  });
  if (node.backplane.status === "open") resolve();
  await bounded(promise, "the bus");
}

Deno.test("groups.add() rejects when the bus stays away, and leaves nobody in the group", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  bus.stop();
  await assertJoinFails(node);
  const sent = node.clients.group("group").send("heard", "nobody");
  bus.start();
  await untilOpen(node);
  await sent;
  await node.groups.add("ann", "group");
  await other.clients.group("group").send("heard", "member");
  await ann.heard.count(1);
  assertEquals(ann.texts, ["member"]);
});

Deno.test("groups.add() waits for a bus that comes back in time", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  bus.stop();
  const add = node.groups.add("ann", "group");
  await endOfTurn();
  bus.start();
  await add;
  await other.clients.group("group").send("heard", "member");
  await ann.heard.count(1);
});

Deno.test("groups.add() under way survives a bus that goes and comes", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  const gate = Promise.withResolvers<void>();
  node.backplane.beforeSubscribe = () => gate.promise;
  const add = node.groups.add("ann", "group");
  for (let time = 0; time < 3; time++) {
    bus.stop();
    bus.start();
  }
  bus.stop();
  gate.resolve();
  await endOfTurn();
  bus.start();
  await add;
  await other.clients.group("group").send("heard", "member");
  await ann.heard.count(1);
});

Deno.test("groups.add() to a group with members needs no bus", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const bob = await node.connect("bob");
  await node.connect("ann");
  await node.groups.add("ann", "group");
  bus.stop();
  await node.groups.add("bob", "group");
  bus.start();
  await untilOpen(other);
  await other.clients.group("group").send("heard", "both are members");
  await bob.heard.count(1);
});

Deno.test("groups.remove() while the bus is away takes effect here, and on the bus when it is back", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  for (const group of ["group", "rejoined"]) await node.groups.add("ann", group);
  bus.stop();
  for (const group of ["group", "rejoined"]) await node.groups.remove("ann", group);
  await node.groups.add("ann", "rejoined");
  node.advance(1000);
  bus.start();
  await untilOpen(other);
  await other.clients.groups(["group", "rejoined"]).send("heard", "once");
  await other.clients.all.send("heard", "last");
  await ann.heard.find(([, text]) => text === "last");
  assertEquals(ann.texts, ["once", "last"]);
  assertEquals(node.backplane.channels.has(GROUP), false);
});

Deno.test("createHubServer() admits clients while the bus is away, and they are reached once it is back", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  bus.stop();
  const ann = await node.connect("ann", "user");
  await assertJoinFails(node);
  // The connection and the user stay wanted all the same.
  assertEquals(node.backplane.channels.has("hub:connection:ann"), false);
  bus.start();
  await untilOpen(node);
  await untilOpen(other);
  node.advance(1000);
  await node.backplane.confirmed.find((channel) => channel === "hub:user:user");
  await other.clients.client("ann").send("heard", "connection");
  await other.clients.user("user").send("heard", "user");
  await other.clients.all.send("heard", "all");
  await ann.heard.count(3);
  assertEquals(ann.texts, ["connection", "user", "all"]);
});

Deno.test("createHubServer() hears for every client by the time it says that the bus is back", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  bus.stop();
  const ann = await node.connect("ann", "user");
  bus.start();
  await untilOpen(other);
  await untilOpen(node);
  await other.clients.client("ann").send("heard", "connection");
  await other.clients.user("user").send("heard", "user");
  await ann.heard.count(2);
});

Deno.test("createHubServer() lets no client wait for a bus that is away", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  bus.stop();
  const gate = Promise.withResolvers<void>();
  node.backplane.beforeSubscribe = () => gate.promise;
  await node.connect("ann", "user");
  gate.resolve();
});

Deno.test("createHubServer() admits a client once other nodes reach it, while the bus is there", async () => {
  const { node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  const gate = Promise.withResolvers<void>();
  node.backplane.beforeSubscribe = () => gate.promise;
  let admitted = false;
  const connecting = node.connect("ann").then((ann) => {
    admitted = true;
    return ann;
  });
  await endOfTurn();
  assertEquals(admitted, false);
  gate.resolve();
  const ann = await connecting;
  await other.clients.client("ann").send("heard", "Hello");
  await ann.heard.count(1);
});

Deno.test("createHubServer() subscribes nothing for a client that came and went while the bus was away", async () => {
  const { bus, node, other } = await startNodes();
  await using _node = node;
  await using _other = other;
  bus.stop();
  const ann = await node.connect("ann", "user");
  const add = node.groups.add("ann", "group");
  await ann.leave();
  node.advance(1000);
  bus.start();
  await add;
  await untilOpen(node);
  node.advance(1000);
  await endOfTurn();
  assertEquals([...node.backplane.channels].sort(), node.baseChannels);
});

Deno.test("createHubServer() hears the others when the bus comes after its start", async () => {
  const bus = new MemoryBus();
  bus.stop();
  await using node = new PipeNode(new RecordingBackplane(bus));
  const ready = node.hub.start();
  const ann = await node.connect("ann");
  await assertJoinFails(node);
  bus.start();
  node.clock.advance(1000);
  await bounded(ready, "the node to be ready");
  await using other = await PipeNode.start(new RecordingBackplane(bus));
  await other.clients.all.send("heard", "Hello");
  await other.groups.add("ann", "group");
  await other.clients.group("group").send("heard", "member");
  await ann.heard.count(2);
});

Deno.test("createHubServer() says at once that the bus refuses the channel of a connection", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  node.backplane.beforeSubscribe = () => Promise.reject(new Error("no permission"));
  await node.connect("ann");
  assertEquals(node.logger.errors.all, [
    'Messages on "hub:connection:ann" do not arrive here, the bus refuses it:',
  ]);
});
