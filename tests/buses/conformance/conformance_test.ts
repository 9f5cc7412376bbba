import { assertEquals } from "@std/assert";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
import {
  type ConformanceBus,
  conformanceCases,
  type ConformanceSubject,
  conformanceTests,
} from "../../../backplanes/conformance.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { PartedRedis } from "./parted_redis.ts";
import { WorkerThread } from "../broadcast_channel/worker_thread.ts";

/** Runs every case as a step, one after the other: some fault the bus that all of them use. */
async function passes(t: Deno.TestContext, subject: ConformanceSubject): Promise<void> {
  await conformanceTests(subject, (name, run) => t.step(name, run));
}

/** The faults of a real server. */
function hooksOf(server: ServerProcess): ConformanceBus {
  return {
    stop: () => server.stop(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

Deno.test("conformanceCases have unique names", () => {
  const names = conformanceCases.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("MemoryBackplane passes the conformance suite", async (t) => {
  const bus = new MemoryBus();
  await passes(t, {
    open: (prefix, options) => new MemoryBackplane(bus, { ...options, prefix }),
    bus: { stop: () => bus.stop(), start: () => bus.start() },
    faults: { outage: 100 },
  });
});

Deno.test("BroadcastChannelBackplane passes the conformance suite in one thread", async (t) => {
  const name = crypto.randomUUID();
  await passes(t, {
    open: (prefix, options) => new BroadcastChannelBackplane(name, { ...options, prefix }),
  });
});

for (const first of ["here", "in a worker"]) {
  const where = `with its first instance ${first} and the next in another thread`;
  Deno.test(`BroadcastChannelBackplane passes the conformance suite ${where}`, async (t) => {
    const name = crypto.randomUUID();
    using thread = new WorkerThread();
    const opened = new Map<string, number>();
    await passes(t, {
      open(prefix, options) {
        const turn = opened.get(prefix) ?? 0;
        opened.set(prefix, turn + 1);
        return (turn % 2 === 0) === (first === "here")
          ? new BroadcastChannelBackplane(name, { ...options, prefix })
          : thread.open(name, { ...options, prefix });
      },
    });
  });
}

Deno.test("RedisBackplane passes the conformance suite", async (t) => {
  // Every channel but those that end in an exclamation mark.
  const user = "default on nopass resetchannels &*[^!] ~* +@all";
  await using server = await startRedis({ args: ["--user", ...user.split(" ")] });
  await passes(t, {
    open: (prefix, options) => new RedisBackplane(redisUrl(server, prefix), options),
    bus: hooksOf(server),
    refusedChannel: "refused!",
  });
});

Deno.test("RedisBackplane passes the conformance cases of parted ways", async (t) => {
  await using redis = await PartedRedis.start();
  for (const { name, needs, run } of conformanceCases) {
    if (needs === "part") await t.step(name, () => run(redis.subject));
  }
});

Deno.test("NatsBackplane passes the conformance suite", async (t) => {
  const file = await Deno.makeTempFile({ prefix: "hubplane-", suffix: ".conf" });
  const user = `user: any, password: any`;
  const permissions = `{ publish: ">", subscribe: { allow: ">", deny: "*.refused" } }`;
  try {
    await Deno.writeTextFile(
      file,
      `no_auth_user: any
       authorization { users = [{ ${user}, permissions: ${permissions} }] }`,
    );
    await using server = await startNats({ args: ["--config", file] });
    await passes(t, {
      open: (prefix, options) => new NatsBackplane(natsUrl(server, prefix), options),
      bus: hooksOf(server),
      refusedChannel: "refused",
    });
  } finally {
    await Deno.remove(file);
  }
});
