import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { deadline, delay } from "@std/async";
import { Cluster, Redis } from "ioredis";
import { RedisBackplane, type RedisBackplaneOptions } from "../../../backplanes/redis.ts";
import type { BackplaneGap } from "../../../backplanes/backplane.ts";
import { KeptLog } from "../../kit/log.ts";
import { firstAnswer } from "../../kit/servers/server_process.ts";
import { openRedisClient } from "../../kit/servers/redis_client.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import {
  addClusterNode,
  addSentinel,
  addServer,
  joinCluster,
  openTopology,
  shrinkCluster,
  type Topology,
} from "./topology.ts";
import { nextEvent, until, untilClosed, untilStatus } from "../../kit/wait.ts";

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

/**
 * Starts a master with a replica and a Sentinel, which names the replica when the master has not answered
 * for `patience` milliseconds; `options` are those of a backplane there.
 */
async function startSentinel(patience = 500) {
  const topology = await openTopology();
  const master = await addServer(topology, ["--save", ""]);
  const follow = ["--save", "", "--replicaof", "127.0.0.1", `${master.port}`];
  const replica = await addServer(topology, follow);
  const sentinel = await addSentinel(topology, master, 1, patience);
  const options: RedisBackplaneOptions = {
    prefix: "app:",
    logger: new KeptLog(),
    client: (_role, options) =>
      new Redis({
        ...options,
        sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
        name: "news",
      }),
  };
  return { ...topology, master, replica, sentinel, options };
}

Deno.test("RedisBackplane leaves the old master when Sentinels name a new one, and loses nothing in silence", async () => {
  await using servers = await startSentinel();
  const { options, sentinel } = servers;
  await using admin = await openRedisClient(sentinel);
  await using stack = new AsyncDisposableStack();
  const nodes: { backplane: RedisBackplane; heard: Set<string>; gaps: BackplaneGap[] }[] = [];
  const join = async () => {
    const node = {
      backplane: stack.use(new RedisBackplane("redis://news", options)),
      heard: new Set<string>(),
      gaps: [] as BackplaneGap[],
    };
    node.backplane.onStatus(({ gap }) => gap && node.gaps.push(gap));
    await untilStatus(node.backplane, "open");
    const heard = (payload: Uint8Array) => void node.heard.add(new TextDecoder().decode(payload));
    await node.backplane.subscribe("news", heard).confirmed;
    nodes.push(node);
  };
  await Promise.all([join(), join()]);
  const gapsOf = (count: number) => nodes.slice(0, count).every(({ gaps }) => gaps.length > 0);
  /** Which message was published when, by which node, for which nodes. */
  const published: { text: string; at: number; from: number; for: number }[] = [];
  const publish = () =>
    Promise.all(nodes.map(async ({ backplane }, from) => {
      const message = { text: `${published.length}`, at: Date.now(), from, for: nodes.length };
      published.push(message);
      await backplane.publish("news", new TextEncoder().encode(message.text))
        .catch(() => void published.splice(published.indexOf(message), 1));
    }));
  // A Sentinel that has not yet looked at the replica refuses.
  await until(() => admin.call("SENTINEL", "FAILOVER", "news").then(() => true, () => false));
  await admin.subscribe("+failover-state-reconf-slaves");
  // From this event on the Sentinel names the new master.
  const late = new Promise((resolve) => admin.once("message", resolve)).then(join);
  const begun = performance.now();
  while (!gapsOf(2)) {
    await publish();
    await delay(2);
    if (performance.now() - begun > 20_000) throw new Error("No node has left the old master");
  }
  await late;
  await until(() => nodes.every(({ backplane }) => backplane.status === "open"));
  const counted = published.length;
  await publish();
  const last = published.slice(counted);
  await until(() => nodes.every(({ heard }) => last.every(({ text }) => heard.has(text))));
  const covers = (node: number, at: number) =>
    nodes[node]?.gaps.some(({ since, until }) => since <= at && at <= until) ?? false;
  const silent = published.flatMap((message) =>
    nodes.slice(0, message.for)
      .map(({ heard }, to) => ({ ...message, to, heard: heard.has(message.text) }))
      .filter(({ at, from, to, heard }) => !heard && !covers(from, at) && !covers(to, at))
  );
  assertEquals(silent, []);
  assertEquals(last.length, 3);
});

Deno.test("RedisBackplane leaves no connection to a Sentinel behind when it connects again", async () => {
  await using servers = await startSentinel(60_000);
  const { master, sentinel, options } = servers;
  const { client } = options;
  await using backplane = new RedisBackplane("redis://news", {
    ...options,
    client: (role, given) => client?.(role, { ...given, failoverDetector: true }) ?? never(),
  });
  await untilStatus(backplane, "open");
  await using watcher = await openRedisClient(sentinel);
  await using admin = await openRedisClient(master);
  const connections = async () =>
    (await watcher.client("LIST") as string).split("\n").filter((line) => line.includes("sub=1"));
  await until(async () => (await connections()).length === 2);
  for (let losses = 0; losses < 3; losses++) {
    const reopened = nextEvent(backplane, ({ gap }) => gap !== undefined);
    await admin.client("KILL", "SKIPME", "yes", "TYPE", "pubsub");
    await reopened;
  }
  await until(async () => (await connections()).length === 2);
});

function never(): never {
  throw new Error("Cannot make a client");
}

Deno.test("RedisBackplane follows the master that a Sentinel names", async () => {
  await using servers = await startSentinel();
  const { master, replica, options } = servers;
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
      logger: new KeptLog(),
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

Deno.test("RedisBackplane leaves a server that was removed from its Cluster, and reports the gap", async () => {
  await using cluster = await startCluster();
  const options = { ...cluster.options, probeInterval: 50, probeTimeout: 500 };
  await using stack = new AsyncDisposableStack();
  const nodes = await Promise.all(Array.from({ length: 5 }, async () => {
    const node = stack.use(new RedisBackplane("redis://cluster", options));
    const heard = new Set<string>();
    const gaps: BackplaneGap[] = [];
    node.onStatus(({ gap }) => gap && gaps.push(gap));
    await untilStatus(node, "open");
    const handler = (payload: Uint8Array) => void heard.add(new TextDecoder().decode(payload));
    await node.subscribe("news", handler).confirmed;
    return { node, heard, gaps };
  }));
  const published: { text: string; at: number; from: number }[] = [];
  const publish = () =>
    Promise.all(nodes.map(async ({ node }, from) => {
      const message = { text: `${published.length}`, at: Date.now(), from };
      published.push(message);
      const text = new TextEncoder().encode(message.text);
      await node.publish("news", text).catch(() => published.splice(published.indexOf(message), 1));
    }));
  const allHeard = async () => {
    const counted = published.length;
    await publish();
    await delay(20);
    const last = published.slice(counted);
    return last.length === 5 &&
      nodes.every(({ heard }) => last.every(({ text }) => heard.has(text)));
  };
  await until(allHeard);
  await shrinkCluster(cluster);
  const alone = cluster.servers[0]?.port ?? 0;
  const left = async () =>
    (await firstAnswer(alone, "PUBSUB NUMSUB app:news\r\n")).includes(":0") &&
    nodes.every(({ node }) => node.status === "open");
  await until(async () => await allHeard() && await left());
  const covers = (node: number, at: number) =>
    nodes[node]?.gaps.some(({ since, until }) => since <= at && at <= until) ?? false;
  const silent = published.flatMap((message) =>
    nodes.map(({ heard }, to) => ({ ...message, to, heard: heard.has(message.text) }))
      .filter(({ at, from, to, heard }) => !heard && !covers(from, at) && !covers(to, at))
  );
  assertEquals(silent, []);
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
