import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { deadline, delay } from "@std/async";
import { Redis } from "ioredis";
import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { nextEvent, untilStatus } from "../../kit/wait.ts";

const hello = new TextEncoder().encode("hello");

Deno.test("RedisBackplane says why it is still connecting, and joins a Redis that comes", async () => {
  await using server = await startRedis({ running: false });
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  const { status, error } = await nextEvent(backplane, () => true);
  assertEquals(status, "connecting");
  assertInstanceOf(error, BackplaneUnavailableError);
  assert(error.message.includes(`127.0.0.1:${server.port}: connection refused`), error.message);
  await assertRejects(() => backplane.publish("news", hello), BackplaneUnavailableError);
  // Long enough for the pauses between attempts to have grown.
  await delay(1500);
  await server.start();
  await deadline(nextEvent(backplane, (event) => event.status === "open"), 2000);
});

Deno.test("RedisBackplane tells one outage once, with the gap when it is over", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  await backplane.subscribe("news", () => {}).confirmed;
  await untilStatus(backplane, "open");
  const events: BackplaneStatusEvent[] = [];
  using _listener = backplane.onStatus((event) => events.push(event));
  const before = Date.now();
  const gone = nextEvent(backplane, ({ status }) => status === "reconnecting");
  await server.stop();
  await gone;
  await assertRejects(() => backplane.publish("news", hello), BackplaneUnavailableError);
  // The publisher may be back before the subscriber has read that its connection ended.
  const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
  await server.start();
  await back;
  const gaps = events.flatMap(({ gap }) => gap ?? []);
  assertEquals(gaps.length, 1);
  assert(gaps.every(({ since, until }) => since <= before && until >= before));
  const messages = events.flatMap(({ error }) => error?.message ?? []);
  assert(messages.every((message, index) => message !== messages[index - 1]), `${messages}`);
});

Deno.test("RedisBackplane publishes while only its subscriber is away, and is not open", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"));
  await untilStatus(backplane, "open");
  const admin = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
  await admin.connect();
  const list = await admin.client("LIST") as string;
  assertEquals(list.trim().split("\n").length, 3);
  await backplane.subscribe("news", () => {}).confirmed;
  const gone = nextEvent(backplane, ({ status }) => status === "reconnecting");
  const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
  await admin.client("KILL", "TYPE", "pubsub");
  await gone;
  await backplane.publish("news", hello);
  assertEquals((await back).status, "open");
  await admin.quit();
});

Deno.test("publish() rejects after publishTimeout while Redis hangs", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"), { publishTimeout: 100 });
  await untilStatus(backplane, "open");
  server.pause();
  const called = performance.now();
  const timedOut = await Promise.allSettled([1, 2, 3].map(() => backplane.publish("news", hello)));
  assert(performance.now() - called < 1000);
  for (const outcome of timedOut) {
    assert(outcome.status === "rejected");
    assertInstanceOf(outcome.reason, BackplaneUnavailableError);
  }
  server.resume();
  assertEquals(await backplane.publish("news", hello), 0);
});

Deno.test("publish() rejects rather than letting more than 128 MiB wait", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"), {
    publishTimeout: 60_000,
    probeTimeout: 60_000,
  });
  await untilStatus(backplane, "open");
  server.pause();
  const mebibyte = new Uint8Array(1024 * 1024);
  const published = Array.from({ length: 200 }, () => backplane.publish("news", mebibyte));
  const first = await deadline(Promise.race(published).catch((error) => error), 20_000);
  assertInstanceOf(first, BackplaneUnavailableError);
  assert(first.message.includes("wait for Redis to accept them"));
  server.resume();
  const accepted = (await Promise.allSettled(published)).filter(({ status }) =>
    status === "fulfilled"
  );
  assert(accepted.length >= 120 && accepted.length < 200, `${accepted.length}`);
});

Deno.test("close() ends a backplane whose Redis hangs, with its sockets", async () => {
  await using server = await startRedis();
  const backplane = new RedisBackplane(redisUrl(server, "app:"));
  await untilStatus(backplane, "open");
  server.pause();
  const publishing = assertRejects(() => backplane.publish("news", hello), BackplaneClosedError);
  const subscribing = assertRejects(
    () => backplane.subscribe("news", () => {}).confirmed,
    BackplaneClosedError,
  );
  await deadline(backplane.close(), 1000);
  await publishing;
  await subscribing;
});

Deno.test("close() ends a backplane that is connecting to a Redis that hangs", async () => {
  await using server = await startRedis();
  server.pause();
  const backplane = new RedisBackplane(redisUrl(server, "app:"));
  await delay(50);
  await deadline(backplane.close(), 1000);
  assertEquals(backplane.status, "closed");
});

Deno.test("RedisBackplane runs with --allow-net and --ignore-env alone", async () => {
  await using server = await startRedis();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "--ignore-env"],
      new URL("least_permission.ts", import.meta.url).href,
      redisUrl(server, "app:"),
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("RedisBackplane is closed at once without the permission for the network", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--ignore-env"],
      new URL("least_permission.ts", import.meta.url).href,
      "redis://127.0.0.1:6379",
    ],
  }).output();
  assert(!success);
  assert(new TextDecoder().decode(stderr).includes("Requires net access"));
});
