import type { Backplane } from "../../../backplanes/backplane.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { openBackplane, type OpenBackplaneOptions } from "../../../backplanes/open.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { freePort, type ServerProcess } from "../../kit/servers/server_process.ts";
import { channelsOf as channelsOfNats } from "./nats_channels.ts";
import { channelsOf as channelsOfRedis } from "./redis_channels.ts";

/** Something that carries messages between nodes. */
export interface Bus extends AsyncDisposable {
  /** A backplane on it; those of one prefix hear each other. */
  open(prefix: string, options?: OpenBackplaneOptions): Promise<Backplane>;
}

/** A bus that is a server of its own. */
export interface ServedBus extends Bus {
  /** What a test can stop, start, pause and resume. */
  readonly server: ServerProcess;
  /** The channels of `prefix` that anyone has subscribed, without it, sorted. */
  channels(prefix: string): Promise<string[]>;
}

/** Those that are servers, by driver. */
export const SERVED_BUSES: Readonly<Record<string, () => Promise<ServedBus>>> = {
  redis: async () => {
    const server = await startRedis();
    const channels = (prefix: string) => channelsOfRedis(server.port, prefix);
    return { ...onServer(server, redisUrl), server, channels };
  },
  nats: async () => {
    const monitor = freePort();
    const server = await startNats({ args: ["--http_port", `${monitor}`] });
    const channels = (prefix: string) => channelsOfNats(monitor, prefix);
    return { ...onServer(server, natsUrl), server, channels };
  },
};

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
  redis: async () => onServer(await startRedis(), redisUrl),
  nats: async () => onServer(await startNats(), natsUrl),
};

function onServer(
  server: ServerProcess,
  url: (server: ServerProcess, prefix: string) => string,
): Bus {
  return {
    open: (prefix, options) => openBackplane(url(server, prefix), options),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function withoutServer(open: (prefix: string) => Backplane | Promise<Backplane>): Bus {
  return {
    open: (prefix) => Promise.resolve(open(prefix)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
