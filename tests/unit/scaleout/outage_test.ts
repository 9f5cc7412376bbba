import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
  MemoryBus,
} from "../../../mod.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

Deno.test("send() serves local members while the bus is away, and rejects telling so", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  const client = await node.connect("ann", "user");
  await node.groups.add("ann", "group");
  bus.stop();
  const sets = [
    node.clients.all,
    node.clients.group("group"),
    node.clients.groups(["group", "empty"]),
    node.clients.user("user"),
    node.clients.clients(["ann", "elsewhere"]),
  ];
  for (const [index, set] of sets.entries()) {
    const error = await assertRejects(
      () => set.send("heard", index),
      BackplaneUnavailableError,
      "Cannot reach members on other nodes",
    );
    assertEquals(error.deliveredLocally, true);
    assert(error.cause instanceof BackplaneUnavailableError);
  }
  await client.heard.count(sets.length);
  assertEquals(client.texts, [0, 1, 2, 3, 4]);
  await node.clients.client("ann").send("heard", "needs no bus");
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
    const error = await assertRejects(() => set.send("heard", 1), BackplaneUnavailableError);
    assertEquals(error.deliveredLocally, false);
  }
});

Deno.test("send() to several channels tries all, then rejects with the first error", async () => {
  const bus = new MemoryBus();
  await using one = await PipeNode.start(new RecordingBackplane(bus));
  await using two = await PipeNode.start(new RecordingBackplane(bus));
  const client = await two.connect("there");
  for (const group of ["a", "b", "c"]) await two.groups.add("there", group);
  one.backplane.refusesPublish = (channel) =>
    channel.endsWith(":c") ? undefined : new BackplaneUnavailableError(`no ${channel}`);
  const error = await assertRejects(
    () => one.clients.groups(["a", "b", "c"]).send("heard", "Hello"),
    BackplaneUnavailableError,
    "no hub:group:a",
  );
  assertEquals(error.deliveredLocally, false);
  await client.heard.count(1);
  assertEquals(one.backplane.publishedChannels, ["hub:group:a", "hub:group:b", "hub:group:c"]);
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
    await assertRejects(() => node.clients.all.send("heard", "last"), BackplaneUnavailableError);
    assertEquals(node.logger.errors.all.length, outage);
    bus.start();
    await node.clients.all.send("heard", "back");
  }
});

Deno.test("send() refused for what it is, not for an outage, says so and hides no outage", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  node.backplane.refusesPublish = () => new RangeError("too large");
  const error = await assertRejects(
    () => node.clients.all.send("heard", 1),
    BackplaneError,
    "too large",
  );
  assert(error.cause instanceof RangeError);
  assertEquals(error.deliveredLocally, false);
  node.backplane.refusesPublish = () => undefined;
  bus.stop();
  await assertRejects(() => node.clients.all.send("heard", 1), BackplaneUnavailableError);
  const outages = node.logger.errors.all.filter((text) => text.includes("until the backplane"));
  assertEquals(outages.length, 1);
  assertEquals(node.logger.errors.all.length, 2);
});

Deno.test("send() to several channels logs every reason why one was refused, each once", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  const errors: Readonly<Record<string, Error>> = {
    "hub:group:forbidden": new BackplaneError("NOPERM"),
    "hub:group:away": new BackplaneUnavailableError("away"),
    "hub:group:large": new RangeError("too large"),
  };
  node.backplane.refusesPublish = (channel) => errors[channel];
  const send = (...groups: string[]) => node.clients.groups(groups).send("heard", 1);
  for (let time = 0; time < 2; time++) {
    const error = await assertRejects(
      () => send("allowed", "forbidden", "away", "large"),
      BackplaneError,
      "NOPERM",
    );
    assertEquals(error instanceof BackplaneUnavailableError, false);
  }
  const own = "Cannot publish a message to other nodes:";
  const away = "Messages do not reach other nodes until the backplane is back: away";
  assertEquals(node.logger.errors.all.toSorted(), [own, own, away]);
});

Deno.test("send() on a channel that the bus forbids is logged once and hides no outage", async () => {
  const bus = new MemoryBus();
  await using node = await PipeNode.start(new RecordingBackplane(bus));
  node.backplane.refusesPublish = () => new BackplaneError("NOPERM");
  for (let time = 0; time < 3; time++) {
    const error = await assertRejects(() => node.clients.all.send("heard", 1), BackplaneError);
    assertEquals(error instanceof BackplaneUnavailableError, false);
  }
  assertEquals(node.logger.errors.all, ["Cannot publish a message to other nodes:"]);
  node.backplane.refusesPublish = () => undefined;
  bus.stop();
  await assertRejects(() => node.clients.all.send("heard", 1), BackplaneUnavailableError);
  assertEquals(node.logger.errors.all.length, 2);
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
