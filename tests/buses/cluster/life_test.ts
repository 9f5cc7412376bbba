import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { tryLifeAndDeath } from "./life_and_death.ts";
import { tryThreads } from "./threads.ts";

/** All at once: nearly all of the time is spent waiting for signs that do not come. */
const TRIALS: Readonly<Record<string, () => Promise<void>>> = {
  redis: async () => {
    await using server = await startRedis();
    await tryLifeAndDeath(server, redisUrl);
  },
  nats: async () => {
    await using server = await startNats();
    await tryLifeAndDeath(server, natsUrl);
  },
  threads: tryThreads,
};

Deno.test("nodes know who lives, through restarts of the bus, sudden ends, pauses and goodbyes", async () => {
  const failed: string[] = [];
  await Promise.all(
    Object.entries(TRIALS).map(([bus, trial]) =>
      trial().catch((error) => failed.push(`${bus}: ${error.stack}`))
    ),
  );
  if (failed.length > 0) throw new Error(failed.join("\n\n"));
});
