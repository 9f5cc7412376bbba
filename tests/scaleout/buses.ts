import type { Backplane } from "../../backplanes/backplane.ts";
import { MemoryBackplane, MemoryBus } from "../../backplanes/memory.ts";
import { openBackplane } from "../../backplanes/open.ts";
import { natsUrl, startNats } from "../servers/nats_server.ts";
import { redisUrl, startRedis } from "../servers/redis_server.ts";

/** Something that carries messages between nodes. */
export interface Bus extends AsyncDisposable {
  /** A backplane on it; those of one prefix hear each other. */
  open(prefix: string): Promise<Backplane>;
}

/** Every kind of bus, by driver. */
export const BUSES: Readonly<Record<string, () => Promise<Bus>>> = {
  memory: () => {
    const bus = new MemoryBus();
    return Promise.resolve(withoutServer((prefix) => new MemoryBackplane(bus, { prefix })));
  },
  broadcast_channel: () => {
    const name = crypto.randomUUID();
    return Promise.resolve(
      withoutServer((prefix) =>
        openBackplane(`broadcast:${name}?prefix=${encodeURIComponent(prefix)}`)
      ),
    );
  },
  redis: async () => {
    const server = await startRedis();
    return {
      open: (prefix) => openBackplane(redisUrl(server, prefix)),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  nats: async () => {
    const server = await startNats();
    return {
      open: (prefix) => openBackplane(natsUrl(server, prefix)),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function withoutServer(open: (prefix: string) => Backplane | Promise<Backplane>): Bus {
  return {
    open: (prefix) => Promise.resolve(open(prefix)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
