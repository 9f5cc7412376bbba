import { Redis } from "ioredis";
import { untilListed } from "./until_listed.ts";

/**
 * The channels on a Redis that anyone has subscribed and that begin with `prefix`, without it; not
 * those of the drivers' own.
 */
export async function channelsOf(port: number, prefix: string): Promise<string[]> {
  const redis = new Redis({ host: "127.0.0.1", port });
  try {
    const channels = await redis.pubsub("CHANNELS", `${prefix}*`) as string[];
    return channels.map((channel) => channel.slice(prefix.length))
      .filter((channel) => !channel.startsWith("hubplane:probe:")).sort();
  } finally {
    redis.disconnect();
  }
}

/** Waits until so many have subscribed a channel. */
export async function untilSubscribers(
  port: number,
  channel: string,
  count: number,
): Promise<void> {
  const redis = new Redis({ host: "127.0.0.1", port });
  try {
    await untilListed(async () => (await redis.pubsub("NUMSUB", channel)).map(String).slice(1), [
      `${count}`,
    ]);
  } finally {
    redis.disconnect();
  }
}

/** Waits until the channels that anyone has subscribed, those of `prefix`, are `expected`. */
export function untilChannels(
  port: number,
  prefix: string,
  expected: readonly string[],
): Promise<void> {
  return untilListed(() => channelsOf(port, prefix), expected);
}
