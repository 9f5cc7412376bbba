import type { Redis } from "ioredis";
import { isAnswer } from "./errors.ts";

/** Resolves when Redis has answered, also with an error that leaves the connection in use. */
export async function ping(redis: Redis): Promise<void> {
  await redis.ping().catch((error: unknown) => {
    if (!isAnswer(error)) throw error;
  });
}
