import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { Redis } from "ioredis";

/** The longest that a channel may take to come or go, in milliseconds. */
const PATIENCE = 20_000;

/** The channels on a Redis that anyone has subscribed and that begin with `prefix`, without it. */
export async function channelsOf(port: number, prefix: string): Promise<string[]> {
  const redis = new Redis({ host: "127.0.0.1", port });
  try {
    const channels = await redis.pubsub("CHANNELS", `${prefix}*`) as string[];
    return channels.map((channel) => channel.slice(prefix.length)).sort();
  } finally {
    redis.disconnect();
  }
}

/** Waits until the channels that anyone has subscribed, those of `prefix`, are `expected`. */
export async function untilChannels(
  port: number,
  prefix: string,
  expected: readonly string[],
): Promise<void> {
  const give = performance.now() + PATIENCE;
  const wanted = expected.toSorted();
  while (true) {
    const found = await channelsOf(port, prefix);
    const equal = found.join("\n") === wanted.join("\n");
    if (equal || performance.now() > give) return assertEquals(found, wanted);
    await delay(20);
  }
}
