import { Redis } from "ioredis";
import { connect, StringCodec } from "nats";

/** One channel that every node receives. */
export interface Bus {
  publish(message: string): void;
}

const CHANNEL = "by-hand";

/** Connects to `redis://…` or `nats://…`; calls `heard` with every message, the node's own included. */
export function openBus(url: string, heard: (message: string) => void): Promise<Bus> {
  return url.startsWith("nats:") ? openNats(url, heard) : openRedis(url, heard);
}

async function openRedis(url: string, heard: (message: string) => void): Promise<Bus> {
  const publisher = new Redis(url, { enableAutoPipelining: true });
  const subscriber = new Redis(url);
  subscriber.on("message", (_channel, message) => heard(message));
  await subscriber.subscribe(CHANNEL);
  return { publish: (message) => void publisher.publish(CHANNEL, message).catch(() => {}) };
}

async function openNats(url: string, heard: (message: string) => void): Promise<Bus> {
  const connection = await connect({ servers: new URL(url).host });
  const codec = StringCodec();
  connection.subscribe(CHANNEL, {
    callback: (error, message) => {
      if (error === null) heard(codec.decode(message.data));
    },
  });
  await connection.flush();
  return { publish: (message) => connection.publish(CHANNEL, codec.encode(message)) };
}
