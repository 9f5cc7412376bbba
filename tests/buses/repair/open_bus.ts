import { Cluster } from "ioredis";
import type { Backplane } from "../../../backplanes/backplane.ts";
import { openBackplane } from "../../../backplanes/open.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";

/** Opens a bus by its URL; `cluster:PORT,PORT?prefix=…` is a Redis Cluster on this machine. */
export async function openBus(url: string): Promise<Backplane> {
  const { protocol, pathname, search } = new URL(url);
  if (protocol !== "cluster:") return await openBackplane(url);
  const nodes = pathname.split(",").map((port) => ({ host: "127.0.0.1", port: Number(port) }));
  return new RedisBackplane(`redis://cluster${search}`, {
    client: (_role, redisOptions) => new Cluster(nodes, { redisOptions }),
  });
}
