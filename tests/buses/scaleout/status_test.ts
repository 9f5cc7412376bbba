import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BackplaneClosedError,
  BackplaneError,
  type BackplaneStatus,
  createHubServer,
  defineHub,
  type HubContext,
  MemoryBackplane,
  MemoryBus,
  type MessageGap,
  openBackplane,
  type ServerStatusEvent,
} from "../../../mod.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { bounded, Events, randomPrefix } from "../../kit/wait.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { KeptLog } from "../../kit/log.ts";

/** What a log says of gaps in which nothing is missing. */
function late({ lines }: KeptLog): string[] {
  return lines.filter((line) => line.includes("were late from"));
}

const hub = defineHub({ methods: { nothing(_context: HubContext<Record<never, never>>) {} } });

Deno.test("HubServer.ready resolves when the channels that every node needs are subscribed", async () => {
  const backplane = new RecordingBackplane();
  backplane.heedsNodes = true;
  const gate = Promise.withResolvers<void>();
  backplane.beforeSubscribe = () => gate.promise;
  await using server = createHubServer({ hubs: { "/a": hub }, backplane });
  let ready = false;
  server.ready.then(() => ready = true);
  await endOfTurn();
  assertEquals(ready, false);
  gate.resolve();
  await bounded(server.ready);
  const channels = [...backplane.channels].map((channel) => channel.replace(/deno_\w{32}/, "…"));
  const internal = ["ack:…", "groups", "return:…"].map((use) => `a:internal:${use}`);
  const ofNodes = ["internal:hubplane:node:…", "internal:hubplane:signs"];
  assertEquals(channels.sort(), ["a:all", ...internal, ...ofNodes]);
});

Deno.test("HubServer.ready waits for a bus that refuses a channel until it gives in", async () => {
  const bus = new MemoryBus();
  const backplane = new RecordingBackplane(bus);
  backplane.beforeSubscribe = (channel) =>
    channel === "hub:all" ? Promise.reject(new BackplaneError("forbidden")) : undefined;
  await using node = new PipeNode(backplane);
  let ready = false;
  const start = node.hub.start().then(() => ready = true);
  await endOfTurn();
  assertEquals(ready, false);
  backplane.beforeSubscribe = () => undefined;
  // A driver says that it is open again when the bus has given in.
  bus.stop();
  bus.start();
  await bounded(start);
});

/** A driver of two connections: the one that publishes is not there yet. */
class Listening extends RecordingBackplane {
  speaks = false;

  override get status(): BackplaneStatus {
    return this.speaks ? super.status : "connecting";
  }
}

Deno.test("HubServer.ready waits for a bus that can be heard but not be spoken to", async () => {
  const bus = new MemoryBus();
  const backplane = new Listening(bus);
  await using node = new PipeNode(backplane);
  let ready = false;
  const start = node.hub.start().then(() => ready = true);
  await backplane.confirmed.count(4);
  await endOfTurn();
  assertEquals(ready, false);
  backplane.speaks = true;
  bus.stop();
  bus.start();
  await bounded(start);
});

Deno.test("HubServer.ready rejects when the bus is closed while it cannot be spoken to", async () => {
  const backplane = new Listening();
  await using node = new PipeNode(backplane);
  const start = node.hub.start();
  await backplane.confirmed.count(4);
  backplane.speaks = true;
  await backplane.close();
  await assertRejects(() => bounded(start), BackplaneClosedError);
});

Deno.test("HubServer.ready rejects with the cause when the bus refuses the password", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "secret"] });
  const url = `redis://:wrong@127.0.0.1:${redis.port}`;
  const logger = new KeptLog();
  await using server = createHubServer({
    hubs: { "/hub": hub },
    backplane: await openBackplane(url, { logger }),
    logger,
  });
  const error = await assertRejects(() => bounded(server.ready), BackplaneClosedError);
  assert(error.cause instanceof Error);
  assert(error.cause.message.includes("WRONGPASS"));
  assertEquals(server.status, "closed");
  assert(!Deno.inspect(error).includes("wrong@"));
});

Deno.test("HubServer.ready rejects when the server is closed before, unhandled or not", async () => {
  const bus = new MemoryBus();
  bus.stop();
  const server = createHubServer({ hubs: { "/hub": hub }, backplane: new MemoryBackplane(bus) });
  await server.close();
  await assertRejects(() => bounded(server.ready), BackplaneClosedError);
});

Deno.test("HubServer.onStatus() hands on the backplane's events until it is disposed", async () => {
  const bus = new MemoryBus();
  const logger = new KeptLog();
  await using server = createHubServer({
    hubs: { "/hub": hub },
    backplane: new MemoryBackplane(bus),
    logger,
  });
  assertEquals(server.status, "open");
  const events = new Events<ServerStatusEvent>();
  const listener = server.onStatus((event) => events.add(event));
  bus.stop();
  assertEquals(server.status, "reconnecting");
  bus.start();
  await events.count(3);
  assertEquals(events.all.map(({ status }) => status), ["reconnecting", "open", "open"]);
  assert(events.all[0]?.error instanceof Error);
  // It is told when it is known what has become of the gap.
  assertEquals(events.all.map(({ gap }) => gap?.repaired), [undefined, undefined, true]);
  listener[Symbol.dispose]();
  bus.stop();
  assertEquals(server.status, "reconnecting");
  assertEquals(events.all.length, 3);
});

Deno.test("createHubServer() logs each gap once and tells onGap, however many hubs it has", async () => {
  const bus = new MemoryBus();
  const logger = new KeptLog();
  const gaps = new Events<MessageGap>();
  const another = defineHub({ ...hub, name: "another" });
  await using _server = createHubServer({
    hubs: { "/hub": hub, "/another": another },
    backplane: new MemoryBackplane(bus),
    logger,
    onGap(gap) {
      gaps.add(gap);
      throw new Error("onGap fails");
    },
  });
  for (let outage = 1; outage <= 2; outage++) {
    bus.stop();
    bus.start();
    await gaps.count(outage);
    await endOfTurn();
    assertEquals(gaps.all.length, outage);
    assertEquals(late(logger).length, outage);
    assertEquals(logger.errors.all, Array(outage).fill("onGap failed:"));
  }
  const [gap] = gaps.all;
  assert(gap !== undefined && gap.since <= gap.until);
  const text = late(logger)[0] ?? "";
  for (const time of [gap.since, gap.until]) assert(text.includes(new Date(time).toISOString()));
});

Deno.test("createHubServer() reports the gap that a restart of Redis leaves", async () => {
  await using redis = await startRedis();
  const logger = new KeptLog();
  const gaps = new Events<MessageGap>();
  await using server = createHubServer({
    hubs: { "/hub": hub },
    backplane: await openBackplane(redisUrl(redis, randomPrefix()), { logger }),
    logger,
    onGap: (gap) => gaps.add(gap),
  });
  await bounded(server.ready);
  const stopped = Date.now();
  await redis.stop();
  await redis.start();
  await gaps.count(1);
  const [gap] = gaps.all;
  assert(gap !== undefined && gap.since <= stopped && gap.until >= stopped);
  assertEquals([gap.repaired, late(logger).length], [true, 1]);
});

Deno.test("HubServer.hub() of a path that is not served throws TypeError", async () => {
  await using server = createHubServer({
    hubs: { "/hub": hub } as Record<string, typeof hub>,
    backplane: new MemoryBackplane(),
  });
  server.hub("/HUB");
  for (const path of ["/other", "", "/hub/"]) {
    assertThrows(() => server.hub(path), TypeError, "no path");
  }
});
