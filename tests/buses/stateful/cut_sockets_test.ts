import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../../mod.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { PROTOCOLS } from "../../kit/signalr_client.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { bounded } from "../../kit/wait.ts";
import { acknowledged } from "../../kit/acknowledged.ts";
import { Conversation } from "./conversation.ts";
import { sized } from "../../kit/sizes.ts";
import { withSeed } from "../../kit/random.ts";

const CUTS = sized(10, 40);

/** 0, 1, 2 … */
function counted(length: number): number[] {
  return Array.from({ length }, (_, number) => number);
}

/** The official client, which comes back with another socket. */
function statefulClient(url: string, protocol: string, sockets: ClientSockets): HubConnection {
  const builder = new HubConnectionBuilder()
    .withUrl(url, { transport: HttpTransportType.WebSockets, ...sockets })
    .withStatefulReconnect()
    .configureLogging(LogLevel.None);
  if (protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
  return builder.build();
}

/** Stops a client, and waits until nothing is left of it. */
async function stopped(connection: HubConnection, sockets: ClientSockets): Promise<void> {
  await connection.stop();
  await sockets.closed();
  await acknowledged();
}

for (const protocol of PROTOCOLS) {
  onEachServer(
    `HubServer loses and doubles nothing while sockets of ${protocol} are cut at any byte, ${CUTS} times`,
    (serve) =>
      withSeed(async (random) => {
        const talk = new Conversation(random);
        await using redis = await startRedis();
        const url = redisUrl(redis, "stateful:");
        await using node = await serve({
          hubs: { "/chat": talk.hub },
          allowStatefulReconnects: true,
          statefulReconnectBufferSize: 500_000,
          backplane: await openBackplane(url),
        });
        await using other = createHubServer({
          hubs: { "/chat": talk.hub },
          backplane: await openBackplane(url),
        });
        await Promise.all([node.server.ready, other.ready]);
        using proxy = new CuttingProxy(node.port);
        const sockets = new ClientSockets();
        const connection = statefulClient(`http://127.0.0.1:${proxy.port}/chat`, protocol, sockets);
        talk.listen(connection);
        await connection.start();
        const id = connection.connectionId;
        talk.begin(connection);
        for (let cut = 0; cut < CUTS; cut++) {
          const direction = random() < 0.5 ? "up" : "down";
          const done = proxy.cutAfter(direction, 1 + Math.floor(random() ** 3 * 5000));
          // Else the next cut comes while both send again what they did not hear of.
          await talk.goOn(connection, other, done, random() < 0.5);
          // Now and then there is time for both to acknowledge what they have.
          if (cut % 10 === 9) await talk.goOn(connection, other, delay(1200), true);
        }
        // A client that is stopped on its way back goes on for good.
        await talk.goOn(connection, other, Promise.resolve(), true);
        await talk.end();
        assertEquals(connection.connectionId, id);
        await stopped(connection, sockets);
      }),
  ).forEach((test) => Deno.test(test));
}

onEachServer("HubServer streams more to a stateful client than is kept for it", async (serve) => {
  const hub = defineHub({
    methods: {
      async *count(_context: HubContext<Record<never, never>>, to: number) {
        for (let number = 0; number < to; number++) {
          yield await Promise.resolve(`${number}`.padEnd(1000));
        }
      },
    },
  });
  await using node = await serve({
    hubs: { "/chat": hub },
    allowStatefulReconnects: true,
    maximumBufferedBytes: 100_000,
    statefulReconnectBufferSize: 50_000,
  });
  const sockets = new ClientSockets();
  const connection = statefulClient(node.url("/chat"), "json", sockets);
  await connection.start();
  const items: number[] = [];
  const end = Promise.withResolvers<void>();
  connection.stream<string>("count", 150).subscribe({
    next: (item) => items.push(Number(item)),
    complete: end.resolve,
    error: end.reject,
  });
  await bounded(end.promise);
  assertEquals(items, counted(150));
  await stopped(connection, sockets);
}).forEach((test) => Deno.test(test));
