import { Cluster } from "ioredis";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { type Backplane, openBackplane } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";

/** Opens the backplane of a URL, or of `cluster:PORT,PORT…` the one on the Redis Cluster at these ports. */
export async function openBus(url: string): Promise<Backplane> {
  if (!url.startsWith("cluster:")) return await openBackplane(url);
  const ports = url.slice("cluster:".length).split(",");
  const nodes = ports.map((port) => ({ host: "127.0.0.1", port: Number(port) }));
  return new RedisBackplane("redis://cluster", {
    logger: new KeptLog(),
    client: (_role, options) => new Cluster(nodes, { redisOptions: options }),
  });
}
