import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async";
import { Redis } from "ioredis";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { KeptLog } from "../../kit/log.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { firstAnswer } from "../../kit/servers/server_process.ts";
import {
  bounded,
  bytes,
  Inbox,
  nextEvent,
  until,
  untilClosed,
  untilStatus,
} from "../../kit/wait.ts";

/** Durations in which a lost connection is noticed soon. */
const QUICK = { probeInterval: 20, probeTimeout: 200 };

Deno.test("RedisBackplane stays open while Redis answers PING with MISCONF", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hubplane-" });
  try {
    await using server = await startRedis({ args: ["--save", "3600 1", "--dir", folder] });
    const log = new KeptLog();
    const options = { ...QUICK, logger: log };
    await using before = new RedisBackplane(redisUrl(server, "app:"), options);
    await untilStatus(before, "open");
    // Redis cannot save: a folder has the name of the file.
    await Deno.mkdir(`${folder}/dump.rdb`);
    await firstAnswer(server.port, "BGSAVE\r\n");
    await until(async () => (await firstAnswer(server.port, "PING\r\n")).startsWith("-MISCONF"));
    await using after = new RedisBackplane(redisUrl(server, "app:"), options);
    await untilStatus(after, "open");
    // Probes go unanswered for longer than they may, if an error is no answer.
    await delay(2 * (QUICK.probeInterval + QUICK.probeTimeout));
    const inbox = new Inbox();
    await after.subscribe("news", inbox.receive).confirmed;
    assertEquals(await before.publish("news", bytes("saved or not")), 1);
    assertEquals(await inbox.next(), "saved or not");
    assertEquals([before.status, after.status, log.lines], ["open", "open", []]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("RedisBackplane takes BUSY for an outage, and not for a refusal", async () => {
  await using server = await startRedis({ args: ["--busy-reply-threshold", "10"] });
  const log = new KeptLog();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"), {
    // Long enough that SUBSCRIBE and not a probe meets the busy server.
    probeInterval: 60_000,
    logger: log,
  });
  await untilStatus(backplane, "open");
  const script = firstAnswer(server.port, "EVAL 'while true do end' 0\r\n").catch(() => "");
  await until(async () => (await firstAnswer(server.port, "PING\r\n")).startsWith("-BUSY"));
  const away = nextEvent(backplane, ({ status }) => status === "reconnecting");
  const inbox = new Inbox();
  const { confirmed } = backplane.subscribe("news", inbox.receive);
  assertStringIncludes((await away).error?.message ?? "", "BUSY");
  await assertRejects(() => backplane.publish("news", bytes("busy")), BackplaneUnavailableError);
  const reported = nextEvent(backplane, ({ gap }) => gap !== undefined);
  await firstAnswer(server.port, "SCRIPT KILL\r\n");
  await script;
  await bounded(confirmed);
  assertEquals((await reported).status, "open");
  await backplane.publish("news", bytes("heard"));
  assertEquals(await inbox.next(), "heard");
});

for (const verb of ["subscribe", "unsubscribe"] as const) {
  for (
    const error of [
      new RangeError("Maximum call stack size exceeded"),
      new Error("Command timed out"),
    ]
  ) {
    Deno.test(`RedisBackplane ends its connection when ${verb}() of ioredis fails with ${error}`, async () => {
      await using server = await startRedis();
      let failures = 1;
      await using backplane = new RedisBackplane("redis://news", {
        logger: new KeptLog(),
        client: (_role, options) => {
          const redis = new Redis({ ...options, host: "127.0.0.1", port: server.port });
          const command = redis[verb].bind(redis) as (...names: string[]) => Promise<unknown>;
          return Object.assign(redis, {
            [verb]: (...names: string[]) =>
              names.includes("news") && failures-- > 0 ? Promise.reject(error) : command(...names),
          });
        },
      });
      await untilStatus(backplane, "open");
      const reported = nextEvent(backplane, ({ gap }) => gap !== undefined);
      const inbox = new Inbox();
      const subscription = backplane.subscribe("news", inbox.receive);
      if (verb === "unsubscribe") {
        await subscription.confirmed;
        await bounded(subscription.unsubscribe());
      }
      const { gap } = await reported;
      assert(gap !== undefined && gap.since <= gap.until);
      const again = backplane.subscribe("news", inbox.receive);
      await bounded(again.confirmed);
      assertEquals(await backplane.publish("news", bytes("heard")), 1);
      assertStringIncludes(await inbox.next(), "heard");
    });
  }
}

Deno.test("RedisBackplane logs once that Redis is away, and once that it is there", async () => {
  await using server = await startRedis({ running: false });
  const log = new KeptLog();
  await using backplane = new RedisBackplane(redisUrl(server, "app:"), { logger: log });
  const where = `Redis at 127.0.0.1:${server.port}`;
  const refused = `error Cannot reach ${where}: connection refused; trying again`;
  const there = `warn Reached ${where}: the backplane is open`;
  await log.errors.next();
  // Several attempts fail.
  await delay(500);
  assertEquals(log.lines, [refused]);
  const error = await assertRejects(
    () => backplane.publish("news", bytes("lost")),
    BackplaneUnavailableError,
  );
  assertStringIncludes(error.message, "connection refused");
  await server.start();
  await untilStatus(backplane, "open");
  assertEquals(log.lines, [refused, there]);
  await server.stop();
  const outage = await log.errors.find((text) => text !== refused.slice("error ".length));
  assertStringIncludes(outage, `Cannot reach ${where}: `);
  await delay(500);
  await server.start();
  await untilStatus(backplane, "open");
  assertEquals(log.lines, [refused, there, `error ${outage}`, there]);
});

Deno.test("RedisBackplane logs once why it is closed, without the password", async () => {
  await using server = await startRedis({ args: ["--requirepass", "right"] });
  const log = new KeptLog();
  await using backplane = new RedisBackplane(
    `redis://:wr0ng-p4ss@127.0.0.1:${server.port}`,
    { logger: log },
  );
  await untilClosed(backplane);
  assertEquals(log.lines.length, 1);
  const headline = `Cannot use Redis at 127.0.0.1:${server.port}: WRONGPASS`;
  assertStringIncludes(log.lines[0] ?? "", headline);
  assert(!log.lines.join().includes("wr0ng-p4ss"));
  await assertRejects(() => backplane.publish("news", bytes("")), BackplaneClosedError, headline);
});
