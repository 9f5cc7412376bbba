import { assertEquals, assertRejects } from "@std/assert";
import { BackplaneUnavailableError, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { PipeNode, type PipeNodeOptions } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const GROUP = "hub:group:group";

/** A node with clients `ann` and `bob`, on a bus whose answers a test can hold back. */
async function startNode(bus?: MemoryBus, options?: PipeNodeOptions) {
  const node = await PipeNode.start(new RecordingBackplane(bus), options);
  const ann = await node.connect("ann");
  const bob = await node.connect("bob");
  await endOfTurn();
  return { node, ann, bob, backplane: node.backplane, groups: node.groups };
}

/** Whether `promise` has settled once the turn is over. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = () => void (pending = false);
  promise.then(settled, settled);
  await endOfTurn();
  return pending;
}

Deno.test("groups.add() asks the bus once for all that join meanwhile, and serves them at once", async () => {
  const { node, ann, bob, backplane, groups } = await startNode();
  await using _node = node;
  const gate = Promise.withResolvers<void>();
  backplane.beforeSubscribe = () => gate.promise;
  const joins = [
    groups.add("ann", "group"),
    groups.add("bob", "group"),
    groups.add("ann", "group"),
  ];
  await node.clients.group("group").send("heard", "local delivery has started");
  for (const join of joins) assertEquals(await isPending(join), true);
  gate.resolve();
  await Promise.all(joins);
  assertEquals(backplane.subscribes(GROUP), 1);
  for (const { texts } of [ann, bob]) assertEquals(texts, ["local delivery has started"]);
});

Deno.test("groups.add() to a group that is subscribed does not touch the bus", async () => {
  const { node, backplane, groups } = await startNode();
  await using _node = node;
  await groups.add("ann", "group");
  const asked = backplane.asked.all.length;
  await groups.add("bob", "group");
  await groups.add("bob", "group");
  assertEquals(backplane.asked.all.length, asked);
});

Deno.test("groups.add() that the bus refuses removes everyone who waited, and may be repeated", async () => {
  const { node, ann, bob, backplane, groups } = await startNode();
  await using _node = node;
  const gate = Promise.withResolvers<void>();
  backplane.beforeSubscribe = () => gate.promise;
  const joins = [groups.add("ann", "group"), groups.add("bob", "group")];
  gate.reject(new BackplaneUnavailableError("not now"));
  for (const join of joins) await assertRejects(() => join, BackplaneUnavailableError, "not now");
  await node.clients.group("group").send("heard", "nobody is here");
  backplane.beforeSubscribe = () => undefined;
  await groups.add("ann", "group");
  await node.clients.group("group").send("heard", "ann is here");
  await ann.heard.count(1);
  assertEquals(ann.texts, ["ann is here"]);
  assertEquals(bob.texts, []);
  assertEquals(backplane.subscribes(GROUP), 2);
});

Deno.test("groups.remove() takes effect before it returns", async () => {
  const { node, ann, bob, groups } = await startNode();
  await using _node = node;
  for (const id of ["ann", "bob"]) await groups.add(id, "group");
  const left = groups.remove("ann", "group");
  await node.clients.group("group").send("heard", "without ann");
  await left;
  await bob.heard.count(1);
  assertEquals(bob.texts, ["without ann"]);
  assertEquals(ann.texts, []);
});

Deno.test("groups.remove() keeps the channel for unsubscribeDelay, so that joining again is free", async () => {
  const { node, backplane, groups } = await startNode();
  await using _node = node;
  await groups.add("ann", "group");
  for (let again = 0; again < 3; again++) {
    await groups.remove("ann", "group");
    node.advance(999);
    await groups.add("ann", "group");
    node.advance(10_000);
  }
  assertEquals(backplane.asked.all.filter((call) => call.slice(1) === GROUP), [`+${GROUP}`]);
  await groups.remove("ann", "group");
  node.advance(999);
  assertEquals(backplane.channels.has(GROUP), true);
  node.advance(1);
  assertEquals(backplane.channels.has(GROUP), false);
  await groups.add("ann", "group");
  assertEquals(backplane.subscribes(GROUP), 2);
});

Deno.test("groups.remove() while joining leaves nothing behind, and joining again shares the attempt", async () => {
  const { node, backplane, groups } = await startNode();
  await using _node = node;
  const gate = Promise.withResolvers<void>();
  backplane.beforeSubscribe = () => gate.promise;
  const join = groups.add("ann", "group");
  await groups.remove("ann", "group");
  node.advance(2000);
  const again = groups.add("bob", "group");
  await groups.remove("bob", "group");
  node.advance(2000);
  gate.resolve();
  await Promise.all([join, again]);
  assertEquals(backplane.channels.has(GROUP), true);
  node.advance(0);
  assertEquals(backplane.asked.all.filter((call) => call.slice(1) === GROUP), [
    `+${GROUP}`,
    `-${GROUP}`,
  ]);
});

Deno.test("groups.add() resolves when its connection goes while joining, and nothing leaks", async () => {
  for (const refused of [false, true]) {
    const { node, ann, backplane, groups } = await startNode();
    await using _node = node;
    const gate = Promise.withResolvers<void>();
    backplane.beforeSubscribe = () => gate.promise;
    const join = groups.add("ann", "group");
    await ann.leave();
    if (refused) gate.reject(new BackplaneUnavailableError("not now"));
    else gate.resolve();
    await join;
    assertEquals(backplane.channels.has(GROUP), !refused);
    node.advance(1000);
    const expected = [...node.baseChannels, "hub:connection:bob"];
    assertEquals([...backplane.channels].sort(), expected.sort());
    // The group is as good as new.
    backplane.beforeSubscribe = () => undefined;
    await groups.add("bob", "group");
    assertEquals(backplane.channels.has(GROUP), true);
  }
});

Deno.test("groups.add() does not add a connection that has gone, and resolves", async () => {
  const { node, ann, backplane, groups } = await startNode();
  await using _node = node;
  await ann.leave();
  await groups.add("ann", "group");
  await groups.remove("ann", "group");
  assertEquals(backplane.channels.has(GROUP), false);
  assertEquals(backplane.published, []);
});

Deno.test("groups.add() misses nothing of its own node while it waits for the bus", async () => {
  const bus = new MemoryBus();
  const { node, ann, backplane, groups } = await startNode(bus);
  await using _node = node;
  await using other = await PipeNode.start(new RecordingBackplane(bus));
  const gate = Promise.withResolvers<void>();
  backplane.beforeSubscribe = () => gate.promise;
  const join = groups.add("ann", "group");
  await node.clients.group("group").send("heard", "own, while joining");
  await other.clients.group("group").send("heard", "too early to be promised");
  for (const { clock } of [node, other]) clock.advance(10);
  gate.resolve();
  await join;
  await other.clients.group("group").send("heard", "promised");
  await ann.heard.count(2);
  await node.clients.group("group").send("heard", "own");
  await ann.heard.count(3);
  assertEquals(ann.texts, ["own, while joining", "promised", "own"]);
});

Deno.test("groups.add() and groups.remove() in any order end in the last state", async () => {
  const options = { subscribeTimeout: 1_000_000_000 };
  const { node, backplane, groups } = await startNode(new MemoryBus(), options);
  await using _node = node;
  backplane.beforeSubscribe = async () => {
    for (let turns = Math.random() * 3; turns > 0; turns--) await endOfTurn();
  };
  const member = new Map<string, boolean>();
  const changes: Promise<void>[] = [];
  for (let change = 0; change < 300; change++) {
    const [id, group] = [Math.random() < 0.5 ? "ann" : "bob", `g${Math.floor(Math.random() * 3)}`];
    const joins = Math.random() < 0.5;
    member.set(`${group} ${id}`, joins);
    changes.push(joins ? groups.add(id, group) : groups.remove(id, group));
    if (Math.random() < 0.3) node.advance(1000);
    if (Math.random() < 0.3) await endOfTurn();
  }
  await Promise.all(changes);
  node.advance(1000);
  for (const group of ["g0", "g1", "g2"]) {
    const wanted = ["ann", "bob"].some((id) => member.get(`${group} ${id}`));
    assertEquals(backplane.channels.has(`hub:group:${group}`), wanted);
  }
});
