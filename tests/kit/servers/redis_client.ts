import { Redis } from "ioredis";
import type { ServerProcess } from "./server_process.ts";

/** Opens a client of Redis or a Sentinel that ends with the test; a client that loses its server has ended. */
export async function openRedisClient({ port }: ServerProcess): Promise<Redis & AsyncDisposable> {
  const redis = new Redis(port, "127.0.0.1", {
    disconnectTimeout: 1,
    lazyConnect: true,
    retryStrategy: null,
  });
  // ioredis prints an error that has no listener.
  redis.on("error", () => {});
  await redis.connect();
  return Object.assign(redis, {
    [Symbol.asyncDispose]: async () => {
      if (redis.status === "end") return;
      const ended = new Promise<void>((resolve) => redis.once("end", () => resolve()));
      redis.disconnect();
      await ended;
    },
  });
}
