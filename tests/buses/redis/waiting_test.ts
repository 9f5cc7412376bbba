import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { delay } from "@std/async";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { untilStatus } from "../../kit/wait.ts";

Deno.test("RedisBackplane bounds the number of publishes that wait, however small they are, and takes 100,000", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(redisUrl(server, "waiting:"), {
    publishTimeout: 60_000,
    probeTimeout: 60_000,
  });
  await untilStatus(backplane, "open");
  server.pause();
  const payload = new Uint8Array(1);
  const refusals: unknown[] = [];
  const publishes: Promise<unknown>[] = [];
  const publish = (count: number) => {
    for (let each = 0; each < count; each++) {
      publishes.push(
        backplane.publish("news", payload).catch((error: unknown) => refusals.push(error)),
      );
    }
  };
  publish(100_000);
  await delay(0);
  assertEquals(refusals, []);
  publish(50_000);
  await delay(0);
  const [refusal] = refusals;
  assertInstanceOf(refusal, BackplaneUnavailableError);
  assert(refusal.message.includes("134217728 bytes wait"), refusal.message);
  server.resume();
  await Promise.all(publishes);
  // None of those that were taken has failed since.
  for (const refused of refusals) assertEquals(refused, refusal);
  assert(refusals.length < 50_000, `${refusals.length} were refused`);
  // What was accepted no longer counts.
  assertEquals(await backplane.publish("news", payload), 0);
});
