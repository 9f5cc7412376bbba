/**
 * Messages that the bus refuses for what they are, or for their channel.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BackplaneError, BackplaneUnavailableError, MemoryBus } from "../../../mod.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { assertLate, startNodes } from "./outages.ts";

Deno.test("send() to several channels tries all, then rejects with the first error", async () => {
  const bus = new MemoryBus();
  const { node, other, there } = await startNodes(bus);
  await using _node = node;
  await using _other = other;
  node.backplane.refusesPublish = (channel) =>
    channel.endsWith(":c") ? undefined : new BackplaneError(`no ${channel}`);
  const error = await assertRejects(
    () => node.clients.groups(["a", "b", "c"]).send("heard", "Hello"),
    BackplaneError,
    "no hub:group:a",
  );
  assertEquals(error.deliveredLocally, false);
  await there.heard.count(1);
  assertEquals(node.backplane.publishedChannels, ["hub:group:a", "hub:group:b", "hub:group:c"]);
  // What the bus has refused, nobody gets later either.
  node.backplane.refusesPublish = () => undefined;
  node.advance(1000);
  await node.clients.groups(["a", "b"]).send("heard", "last");
  await there.heard.count(3);
  assertEquals(there.texts, ["Hello", "last", "last"]);
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
  await assertLate(node, node.clients.all.send("heard", 1));
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
  await assertLate(node, node.clients.all.send("heard", 1));
  assertEquals(node.logger.errors.all.length, 2);
});
