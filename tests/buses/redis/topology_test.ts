import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { deadline, delay } from "@std/async";
import { Cluster, Redis } from "ioredis";
import { RedisBackplane, type RedisBackplaneOptions } from "../../../backplanes/redis.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import {
  addClusterNode,
  addSentinel,
  addServer,
  joinCluster,
  openTopology,
  type Topology,
} from "./topology.ts";
import { nextEvent, untilClosed, untilStatus } from "../../kit/wait.ts";

const hello = new TextEncoder().encode("hello");

/** Publishes until one message arrives: the two sides need not have recovered at the same moment. */
async function untilHeard(
  publisher: RedisBackplane,
  subscriber: RedisBackplane,
  timeout: number,
): Promise<void> {
  const heard = Promise.withResolvers<Uint8Array>();
  const give = performance.now() + timeout;
  await using subscription = subscriber.subscribe("recovered", heard.resolve);
  await subscription.confirmed;
  const waiting = deadline(heard.promise, timeout);
  let done = false;
  waiting.then(() => done = true, () => done = true);
  while (!done && performance.now() < give) {
    await publisher.publish("recovered", hello).catch(() => {});
    await delay(20);
  }
  await waiting;
}

Deno.test("RedisBackplane follows the master that a Sentinel names", async () => {
  await using topology = await openTopology();
  const master = await addServer(topology, ["--save", ""]);
  const follow = ["--save", "", "--replicaof", "127.0.0.1", `${master.port}`];
  const replica = await addServer(topology, follow);
  const sentinel = await addSentinel(topology, master, 1);
  const options: RedisBackplaneOptions = {
    prefix: "app:",
    client: (_role, options) =>
      new Redis({
        ...options,
        sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
        name: "news",
      }),
  };
  await using one = new RedisBackplane("redis://news", options);
  await using two = new RedisBackplane("redis://news", options);
  await Promise.all([untilStatus(one, "open"), untilStatus(two, "open")]);
  await using subscription = two.subscribe("news", () => {});
  await subscription.confirmed;
  assertEquals(await one.publish("news", hello), 1);

  const reported = nextEvent(two, ({ gap }) => gap !== undefined);
  await master.stop();
  await reported;
  await untilHeard(one, two, 10_000);
  const promoted = new Redis(replica.port, "127.0.0.1", { lazyConnect: true });
  await promoted.connect();
  assertEquals(await promoted.pubsub("NUMSUB", "app:news"), ["app:news", 1]);
  await promoted.quit();
});

Deno.test("RedisBackplane keeps trying while no Sentinel answers, and close() ends it", async () => {
  await using sentinel = await startRedis({ running: false });
  const backplane = new RedisBackplane("redis://news", {
    client: (_role, options) =>
      new Redis({ ...options, sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "a" }),
  });
  const { status, error } = await nextEvent(backplane, () => true);
  assertEquals(status, "connecting");
  assertStringIncludes(error?.message ?? "", "All sentinels are unreachable");
  await backplane.close();
  // ioredis leaves a timer of 2 s behind for every Sentinel that refused it, and lets nobody shorten
  // it (`connectToSentinel` in its `SentinelConnector`, `disconnect` in its `AbstractConnector`).
  await delay(2100);
});

async function startCluster(): Promise<Topology & { options: RedisBackplaneOptions }> {
  const topology = await openTopology();
  for (let node = 0; node < 3; node++) await addClusterNode(topology);
  await joinCluster(topology);
  const nodes = topology.servers.map(({ port }) => ({ host: "127.0.0.1", port }));
  return {
    ...topology,
    options: {
      prefix: "app:",
      client: (_role, options) => new Cluster(nodes, { redisOptions: options }),
    },
  };
}

Deno.test("RedisBackplane reaches every node of a Cluster in order, and outlives one", async () => {
  await using cluster = await startCluster();
  const { options, servers } = cluster;
  await using publisher = new RedisBackplane("redis://cluster", options);
  await untilStatus(publisher, "open");
  const subscribers = Array.from(
    { length: 6 },
    () => new RedisBackplane("redis://cluster", options),
  );
  const heard = await Promise.all(subscribers.map(async (subscriber) => {
    await untilStatus(subscriber, "open");
    const numbers: number[] = [];
    const all = Promise.withResolvers<void>();
    await subscriber.subscribe("news", (payload) => {
      if (numbers.push(payload[0] ?? -1) === 200) all.resolve();
    }).confirmed;
    return { numbers, all };
  }));
  const counts = await Promise.all(
    Array.from({ length: 200 }, (_, number) => publisher.publish("news", new Uint8Array([number]))),
  );
  assertEquals(new Set(counts), new Set([undefined]));
  for (const { numbers, all } of heard) {
    await deadline(all.promise, 5000);
    assertEquals(numbers, Array.from({ length: 200 }, (_, number) => number));
  }

  await servers[0]?.stop();
  for (const subscriber of subscribers) {
    await untilHeard(publisher, subscriber, 20_000);
    await subscriber.close();
  }
});

Deno.test("close() ends a backplane whose Cluster does not answer", async () => {
  await using server = await startRedis({ running: false });
  const backplane = new RedisBackplane("redis://cluster", {
    client: (_role, options) =>
      new Cluster([{ host: "127.0.0.1", port: server.port }], { redisOptions: options }),
  });
  const { status, error } = await nextEvent(backplane, () => true);
  assertEquals(status, "connecting");
  assertStringIncludes(error?.message ?? "", "no node of the cluster answers");
  await backplane.close();
});

Deno.test("RedisBackplane is closed at once by a Cluster that refuses its password", async () => {
  await using server = await startRedis({ args: ["--requirepass", "right"] });
  await using backplane = new RedisBackplane("redis://:wrong@cluster", {
    client: (_role, options) =>
      new Cluster([{ host: "127.0.0.1", port: server.port }], { redisOptions: options }),
  });
  assertStringIncludes((await untilClosed(backplane)).message, "WRONGPASS");
});

Deno.test("RedisBackplane is closed by a client that was not made with the options given", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane("redis://cluster", {
    client: () => new Redis(server.port, "127.0.0.1"),
  });
  const error = await untilClosed(backplane);
  assertStringIncludes(
    error.message,
    "its autoResendUnfulfilledCommands is not that of the given options",
  );
});

Deno.test("RedisBackplane is closed by a factory that throws", async () => {
  await using backplane = new RedisBackplane("redis://cluster", {
    client: () => {
      throw new Error("no such name");
    },
  });
  const error = await untilClosed(backplane);
  assertStringIncludes(error.message, "its factory failed: no such name");
  assertInstanceOf(error, Error);
});
