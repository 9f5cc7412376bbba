import type { Backplane } from "../../../backplanes/backplane.ts";

/** How a loss test opens each kind of bus; a new driver adds its line here. */
const DRIVERS: Readonly<Record<string, (url: string) => Promise<Backplane>>> = {
  "redis:": async (url) => {
    const { RedisBackplane } = await import("../../../backplanes/redis.ts");
    return new RedisBackplane(url);
  },
  "nats:": async (url) => {
    const { NatsBackplane } = await import("../../../backplanes/nats.ts");
    return new NatsBackplane(url);
  },
};

/** Opens `url` with the driver of its scheme and default options. */
export function openDriver(url: string): Promise<Backplane> {
  const open = DRIVERS[new URL(url).protocol];
  if (open === undefined) throw new TypeError(`Cannot open ${url}: no driver for its scheme`);
  return open(url);
}
