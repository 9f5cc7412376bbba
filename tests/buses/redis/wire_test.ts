import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async";
import { Buffer } from "node:buffer";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { openRedisClient } from "../../kit/servers/redis_client.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { untilStatus } from "../../kit/wait.ts";

/** Everything that Redis is told by anybody while `run` runs, each as its words. */
async function told(server: ServerProcess, run: () => Promise<void>): Promise<string[][]> {
  await using redis = await openRedisClient(server);
  const monitor = await redis.monitor();
  const commands: string[][] = [];
  const seen = Promise.withResolvers<void>();
  monitor.on("monitor", (_time: string, words: string[]) => {
    if (words[0] === "echo") seen.resolve();
    else commands.push(words);
  });
  await run();
  await redis.echo("end");
  await deadline(seen.promise, 5000);
  const ended = new Promise<void>((resolve) => monitor.once("end", () => resolve()));
  monitor.disconnect();
  await ended;
  return commands;
}

Deno.test("RedisBackplane puts its prefix before each channel byte for byte", async () => {
  await using server = await startRedis();
  await using redis = await openRedisClient(server);
  const prefix = "ä\r\n*{app}\0";
  await using backplane = new RedisBackplane(redisUrl(server, prefix));
  const heard = Promise.withResolvers<Uint8Array>();
  await backplane.subscribe("née\n", heard.resolve).confirmed;
  const wire = Buffer.from(`${prefix}née\n`);
  const names = await redis.pubsub("CHANNELS") as string[];
  assertEquals(names.filter((name) => !name.includes("hubplane:probe:")), [wire.toString()]);
  assertEquals(await redis.publish(wire, Buffer.from([0, 255, 13, 10])), 1);
  assertEquals(await deadline(heard.promise, 5000), new Uint8Array([0, 255, 13, 10]));

  const outward = Promise.withResolvers<[Buffer, Buffer]>();
  redis.on(
    "messageBuffer",
    (channel: Buffer, payload: Buffer) => outward.resolve([channel, payload]),
  );
  await redis.subscribe(wire);
  await untilStatus(backplane, "open");
  const memory = new Uint8Array([9, 128, 0, 255, 9]);
  await backplane.publish("née\n", memory.subarray(1, 4));
  const [channel, payload] = await deadline(outward.promise, 5000);
  assertEquals(channel.toString("hex"), wire.toString("hex"));
  assertEquals([...payload], [128, 0, 255]);
});

Deno.test("RedisBackplane hands its handlers a plain Uint8Array", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "a:"));
  const heard = Promise.withResolvers<Uint8Array>();
  await backplane.subscribe("news", heard.resolve).confirmed;
  await untilStatus(backplane, "open");
  await backplane.publish("news", new Uint8Array(3));
  assertEquals(Object.getPrototypeOf(await deadline(heard.promise, 5000)), Uint8Array.prototype);
});

Deno.test("RedisBackplane subscribes to a name with * literally", async () => {
  await using server = await startRedis();
  await using redis = await openRedisClient(server);
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  const heard: number[] = [];
  await backplane.subscribe("*", (payload) => heard.push(payload[0] ?? -1)).confirmed;
  assertEquals(await redis.publish("app:news", Buffer.from([1])), 0);
  assertEquals(await redis.publish("app:*", Buffer.from([2])), 1);
  await untilStatus(backplane, "open");
  await backplane.publish("*", new Uint8Array([3]));
  const last = backplane.subscribe("[a-z]?", () => {});
  await last.confirmed;
  await last.unsubscribe();
  assertEquals(heard, [2, 3]);
});

Deno.test("RedisBackplane says only PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PING and HELLO", async () => {
  await using server = await startRedis();
  const commands = await told(server, async () => {
    await using backplane = new RedisBackplane(redisUrl(server, "app:"), { probeInterval: 10 });
    const subscription = backplane.subscribe("*", () => {});
    await subscription.confirmed;
    await untilStatus(backplane, "open");
    await backplane.publish("*", new Uint8Array(1));
    await subscription.unsubscribe();
  });
  const verbs = new Set(commands.map(([verb]) => verb?.toLowerCase()));
  assertEquals([...verbs].sort(), ["hello", "ping", "publish", "subscribe", "unsubscribe"]);
});

Deno.test("subscribe() joins the channels of one turn, and again after a loss", async () => {
  await using server = await startRedis();
  await using redis = await openRedisClient(server);
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  await untilStatus(backplane, "open");
  const subscribes = (commands: string[][]) =>
    commands.filter(([verb, channel]) =>
      verb === "subscribe" && !channel?.includes("hubplane:probe:")
    ).map((words) => words.length - 1);
  const first = await told(server, async () => {
    await Promise.all(
      Array.from(
        { length: 500 },
        (_, index) => backplane.subscribe(`${index}`, () => {}).confirmed,
      ),
    );
  });
  assertEquals(subscribes(first), [256, 244]);
  const again = await told(server, async () => {
    const reopened = Promise.withResolvers<void>();
    using _listener = backplane.onStatus(({ gap }) => {
      if (gap !== undefined) reopened.resolve();
    });
    await redis.client("KILL", "TYPE", "pubsub");
    await deadline(reopened.promise, 5000);
  });
  assertEquals(subscribes(again), [256, 244]);
});

Deno.test("publish() takes the payload before it returns, and in call order", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  const heard: number[] = [];
  await backplane.subscribe("news", (payload) => heard.push(payload[0] ?? -1)).confirmed;
  await untilStatus(backplane, "open");
  const memory = new Uint8Array(1);
  const published: Promise<unknown>[] = [];
  for (let number = 0; number < 200; number++) {
    memory[0] = number;
    published.push(backplane.publish("news", memory));
    // Some leave at once, some joined.
    if (number % 7 === 0) await Promise.resolve();
    if (number % 50 === 0) await published.at(-1);
  }
  await Promise.all(published);
  const last = backplane.subscribe("behind", () => {});
  await last.confirmed;
  await last.unsubscribe();
  assertEquals(heard, Array.from({ length: 200 }, (_, number) => number));
});

Deno.test("publish() rejects with RangeError what Redis cannot carry", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  await untilStatus(backplane, "open");
  const huge = new Uint8Array(512 * 1024 * 1024 + 1);
  await assertRejects(() => backplane.publish("news", huge), RangeError, "536870913 bytes");
  assert(backplane.status === "open");
});

Deno.test("RedisBackplane.publish() gets its own answers while probes go between the messages", async () => {
  await using server = await startRedis();
  await using publisher = new RedisBackplane(redisUrl(server, ""), { probeInterval: 10 });
  await using subscriber = new RedisBackplane(redisUrl(server, ""));
  const heard: number[] = [];
  await subscriber.subscribe("burst", (payload) => {
    heard.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
  }).confirmed;
  await untilStatus(publisher, "open");
  const sent = new Uint8Array(4);
  for (let round = 0, n = 0; round < 50; round++) {
    // From a timer, so that the probe's timer is next, and not the end of the turn.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const counts: Promise<number | undefined>[] = [];
    for (let i = 0; i < 20; i++) {
      new DataView(sent.buffer).setUint32(0, n++);
      counts.push(publisher.publish("burst", sent));
    }
    const until = performance.now() + 11;
    while (performance.now() < until);
    assertEquals(await Promise.all(counts), Array(20).fill(1));
  }
  while (heard.length < 1000) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(heard, [...Array(1000).keys()]);
});
