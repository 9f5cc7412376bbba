import { assert, assertEquals, assertRejects } from "@std/assert";
import { BackplaneClosedError, BackplaneUnavailableError, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { assertLate, fate, sendToAll, startNodes } from "./outages.ts";

Deno.test("send() serves local members while the bus is away, and the others in order when it is back", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus);
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  bus.stop();
  node.backplane.published.length = 0;
  const sent = [0, 1, 2].map((text) => node.clients.all.send("heard", text));
  sent.push(node.clients.groups(["a", "b"]).send("heard", 3));
  await ann.heard.count(3);
  assertEquals(ann.texts, [0, 1, 2]);
  assertEquals(await fate(Promise.any(sent)), "open");
  assertEquals(node.backplane.published, []);
  await node.clients.client("ann").send("heard", "needs no bus");
  // What is sent from now on waits behind the messages before it.
  using _listener = node.backplane.onStatus(({ status }) => {
    if (status === "open") sent.push(node.clients.all.send("heard", "new"));
  });
  bus.start();
  await endOfTurn();
  await Promise.all(sent);
  await there.heard.count(6);
  assertEquals(there.texts, [0, 1, 2, 3, 3, "new"]);
  assertEquals(node.backplane.publishedChannels.length, 6);
  assertEquals(node.logger.errors.all, []);
});

Deno.test("send() during an outage that is too long rejects, is withdrawn, and never leaves", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus);
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann", "user");
  await node.groups.add("ann", "group");
  bus.stop();
  const early = sendToAll(node);
  node.advance(2000);
  const later = node.clients.all.send("heard", "in time");
  node.advance(2999);
  assertEquals(await fate(Promise.any(early)), "open");
  node.advance(1);
  for (const sent of early) {
    const error = await assertRejects(
      () => sent,
      BackplaneUnavailableError,
      "Cannot reach members on other nodes: the backplane is away for 5000 ms",
    );
    assertEquals(error.deliveredLocally, true);
    assert(error.cause instanceof BackplaneUnavailableError);
  }
  assertEquals(ann.texts, [0, 1, 2, 3, 4, "in time"]);
  assertEquals(await fate(later), "open");
  bus.start();
  await later;
  await there.heard.count(1);
  await node.clients.all.send("heard", "last");
  await there.heard.count(2);
  assertEquals(there.texts, ["in time", "last"]);
});

Deno.test("send() tells when nobody on this node had the message either", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  await node.connect("ann");
  bus.stop();
  const sets = [
    node.clients.allExcept(["ann"]),
    node.clients.group("empty"),
    node.clients.user("nobody"),
    node.clients.client("elsewhere"),
  ];
  for (const set of sets) {
    const error = await assertLate(node, set.send("heard", 1));
    assertEquals(error.deliveredLocally, false);
  }
});

Deno.test("send() rejects at once when too much waits for the bus, until it is back", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus, { repairBufferBytes: 1000 });
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann");
  bus.stop();
  const kept = [0, 1].map((text) => node.clients.all.send("heard", text));
  const error = await assertRejects(
    () => node.clients.all.send("heard", "too much"),
    BackplaneUnavailableError,
    "the backplane is away and 1000 bytes wait for it (repairBufferBytes)",
  );
  assertEquals(error.deliveredLocally, true);
  bus.start();
  await Promise.all(kept);
  await node.clients.all.send("heard", "last");
  await there.heard.count(3);
  assertEquals(there.texts, [0, 1, "last"]);
  assertEquals(ann.texts, [0, 1, "too much", "last"]);
});

Deno.test("send() rejects at once while the bus is away if outageTimeout is 0", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus, { outageTimeout: 0 });
  await using _node = node;
  await using _other = other;
  const ann = await node.connect("ann", "user");
  await node.groups.add("ann", "group");
  bus.stop();
  for (const sent of sendToAll(node)) {
    const error = await assertRejects(
      () => sent,
      BackplaneUnavailableError,
      "Cannot reach members on other nodes: Cannot reach the memory bus",
    );
    assertEquals(error.deliveredLocally, true);
  }
  await ann.heard.count(5);
  assertEquals(ann.texts, [0, 1, 2, 3, 4]);
  assertEquals(await fate(node.clients.group("empty").send("heard", 1)), "rejected");
  bus.start();
  await endOfTurn();
  node.backplane.refusesPublish = () => new BackplaneUnavailableError("lost");
  await assertRejects(() => node.clients.all.send("heard", "lost"), BackplaneUnavailableError);
  node.backplane.refusesPublish = () => undefined;
  await node.clients.all.send("heard", "last");
  await there.heard.count(1);
});

Deno.test("send() that the bus did not answer resolves when a sign has told of it, and arrives once", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus);
  await using _node = node;
  await using _other = other;
  for (const arrives of [true, false]) {
    there.heard.all.length = 0;
    // The message is lost, or only the answer of the bus is.
    const lost = new BackplaneUnavailableError("no answer");
    if (arrives) node.backplane.beforeAccepted = () => Promise.reject(lost);
    else node.backplane.refusesPublish = () => lost;
    const sent = node.clients.group("a").send("heard", "once");
    assertEquals(await fate(sent), "open");
    node.backplane.beforeAccepted = node.backplane.refusesPublish = () => undefined;
    const published = node.backplane.published.length;
    node.advance(1000);
    await sent;
    await there.heard.count(1);
    await node.clients.group("a").send("heard", "last");
    await there.heard.count(2);
    assertEquals(there.texts.slice(-2), ["once", "last"]);
    assertEquals(node.backplane.published.length, published + 1);
  }
});

Deno.test("send() that neither the bus nor a sign tells of rejects with what the driver said", async () => {
  const bus = new MemoryBus();
  const { node, other } = await startNodes(bus);
  await using _node = node;
  await using _other = other;
  const refuse = (channel: string) => new BackplaneUnavailableError(`no ${channel}`);
  node.backplane.heedsNodes = true;
  node.backplane.refusesPublish = refuse;
  const sent = node.clients.groups(["a", "b", "c"]).send("heard", "Hello");
  for (let second = 1; second <= 5; second++) {
    assertEquals(await fate(sent), "open");
    node.advance(1000);
  }
  const error = await assertRejects(() => sent, BackplaneUnavailableError, "no hub:group:a");
  assertEquals(error.deliveredLocally, false);
  // A server that closes leaves no promise open.
  const closing = node.clients.all.send("heard", "Hello");
  bus.stop();
  const waiting = node.clients.all.send("heard", "Hello");
  assertEquals(await fate(Promise.any([closing, waiting])), "open");
  node.hub.close();
  await assertRejects(() => closing, BackplaneUnavailableError, "no hub:all");
  await assertRejects(() => waiting, BackplaneClosedError, "the backplane was closed meanwhile");
  await assertRejects(() => node.clients.all.send("heard", "late"), BackplaneUnavailableError);
  assertEquals(node.clock.pending, 0);
});

Deno.test("send() that nobody awaits raises no unhandled rejection, and is logged once an outage", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  // The test runner fails on an unhandled rejection.
  for (let outage = 1; outage <= 2; outage++) {
    bus.stop();
    for (let sent = 0; sent < 5; sent++) node.clients.all.send("heard", sent);
    node.clients.group("group").send("heard", NaN);
    node.clients.group("").send("heard", 1);
    node.groups.add("elsewhere", "group");
    node.groups.remove("elsewhere", "");
    await assertLate(node, node.clients.all.send("heard", "last"));
    assertEquals(node.logger.errors.all.length, outage);
    bus.start();
    await node.clients.all.send("heard", "back");
  }
});

Deno.test("send() rejects with BackplaneClosedError once the backplane is closed", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  const client = await node.connect("ann");
  await node.backplane.close();
  const error = await assertRejects(
    () => node.clients.all.send("heard", "local"),
    BackplaneClosedError,
  );
  assertEquals(error.deliveredLocally, true);
  await client.heard.count(1);
  assertEquals(client.texts, ["local"]);
});

Deno.test("send() that waits for the bus rejects at once when the backplane is closed", async () => {
  const bus = new MemoryBus();
  bus.stop();
  await using node = new PipeNode(new RecordingBackplane(bus));
  const sent = node.clients.all.send("heard", 1);
  assertEquals(await fate(sent), "open");
  await node.backplane.close();
  const error = await assertRejects(() => sent, BackplaneClosedError);
  assertEquals(error.deliveredLocally, false);
  await assertRejects(() => node.clients.all.send("heard", 2), BackplaneClosedError);
  assertEquals(node.clock.pending, 0);
});
