/** No silent loss; `LOSS_RUNS=20 deno test -A tests/buses/redis/loss_test.ts` runs each fault 20 times. */
import { assert } from "@std/assert";
import { delay } from "@std/async";
import { Redis } from "ioredis";
import type { LossResult, LossRun } from "../loss/run_loss.ts";
import { assertReported } from "../loss/assert_reported.ts";
import { serverFaults } from "../loss/server_faults.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";

type Fault = (server: ServerProcess, run: LossRun) => Promise<void>;

/** Publishes every 10 ms over `fault`, to a Redis of its own. */
function lossOf(name: string, fault: Fault, args: readonly string[] = []): Promise<LossResult> {
  return assertReported(name, async (once) => {
    await using server = await startRedis({ args });
    return await once({
      url: redisUrl(server, `${crypto.randomUUID()}:`),
      duration: 4000,
      publishEvery: 10,
      fault: (run) => fault(server, run),
    });
  });
}

serverFaults("RedisBackplane", lossOf).forEach((test) => Deno.test(test));

Deno.test("RedisBackplane loses nothing in silence when its subscriber is killed by Redis", async () => {
  const result = await lossOf("CLIENT KILL", async (server) => {
    const redis = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
    await redis.connect();
    for (let kill = 0; kill < 5; kill++) {
      await redis.client("KILL", "TYPE", "pubsub");
      await delay(300);
    }
    await redis.quit();
  });
  assert(result.gaps.length > 0);
});

Deno.test("RedisBackplane loses nothing in silence when its subscriber is too slow for Redis", async () => {
  const limit = ["--client-output-buffer-limit", "pubsub", "1mb", "0", "0"];
  const result = await lossOf("output buffer", async (_server, run) => {
    await run.block(1500);
    for (let turn = 0; turn < 20; turn++) {
      await Promise.all(Array.from({ length: 20 }, () => run.publish(64 * 1024)));
      await delay(20);
    }
  }, limit);
  assert(result.gaps.length > 0);
  assert(result.reportedLost > 0);
});
