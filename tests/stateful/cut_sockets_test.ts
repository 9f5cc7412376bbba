import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../mod.ts";
import { CuttingProxy } from "../servers/cutting_proxy.ts";
import { redisUrl, startRedis } from "../servers/redis_server.ts";
import { ClientSockets } from "../client/client_sockets.ts";
import { PROTOCOLS } from "../client/signalr_client.ts";
import { onEachServer } from "../servers/each_server.ts";
import { bounded, until } from "../client/until.ts";

interface Client {
  echoed(number: number): void;
  news(number: number): void;
}

const CUTS = 40;

function chat(called: number[]) {
  return defineHub({
    name: "chat",
    methods: {
      async say({ clients }: HubContext<Client>, number: number) {
        called.push(number);
        await clients.caller.send("echoed", number);
      },
    },
  });
}

/** 0, 1, 2 … */
function counted(length: number): number[] {
  return Array.from({ length }, (_, number) => number);
}

/**
 * Stops a stateful client. Its timer for the next acknowledgement goes on without it for a second
 * (`_ackTimer` in its `MessageBuffer.js`), which nothing tells the end of.
 */
async function stopped(connection: HubConnection, sockets: ClientSockets): Promise<void> {
  await connection.stop();
  await sockets.closed();
  await delay(1100);
}

for (const protocol of PROTOCOLS) {
  onEachServer(
    `HubServer loses and doubles nothing while sockets of ${protocol} are cut 40 times`,
    async (serve) => {
      await using redis = await startRedis();
      const url = redisUrl(redis, "stateful:");
      const called: number[] = [];
      await using node = await serve({
        hubs: { "/chat": chat(called) },
        allowStatefulReconnects: true,
        backplane: await openBackplane(url),
      });
      await using other = createHubServer({
        hubs: { "/chat": chat([]) },
        backplane: await openBackplane(url),
      });
      await Promise.all([node.server.ready, other.ready]);
      using proxy = new CuttingProxy(node.port);
      const sockets = new ClientSockets();
      const builder = new HubConnectionBuilder()
        .withUrl(`http://127.0.0.1:${proxy.port}/chat`, {
          transport: HttpTransportType.WebSockets,
          ...sockets,
        })
        .withStatefulReconnect()
        .configureLogging(LogLevel.None);
      if (protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
      const connection = builder.build();
      const echoed: number[] = [];
      const news: number[] = [];
      const ends: unknown[] = [];
      connection.on("echoed", (number: number) => echoed.push(number));
      connection.on("news", (number: number) => news.push(number));
      connection.onclose((error) => ends.push(error));
      await connection.start();
      const id = connection.connectionId;

      let sent = 0;
      let told = 0;
      /** At least so long, and until the client is there: it gives up when its return is cut, too. */
      const talk = async (milliseconds: number) => {
        const [first, due] = [sent, performance.now() + milliseconds];
        while (ends.length === 0 && (performance.now() < due || echoed.length <= first)) {
          assert(performance.now() < due + 15_000, "the client does not come back");
          // An end is what the test fails for, and not that nothing can be sent after it.
          connection.send("say", sent++).catch(() => {});
          other.hub("/chat").clients.all.send("news", told++);
          await delay(2);
        }
      };
      for (let cut = 0; cut < CUTS; cut++) {
        await talk(40 + Math.random() * 100);
        proxy.cut();
      }
      // A client that is stopped on its way back goes on for good.
      await talk(0);
      await until(() => ends.length > 0 || (echoed.length >= sent && news.length >= told));
      assertEquals(ends, []);
      assertEquals(called, counted(sent), "what the hub was told");
      assertEquals(echoed, counted(sent), "what the client was answered");
      assertEquals(news, counted(told), "what came from the other node");
      assertEquals(connection.connectionId, id);
      await stopped(connection, sockets);
    },
  );
}

onEachServer("HubServer streams more to a stateful client than is kept for it", async (serve) => {
  const hub = defineHub({
    methods: {
      async *count(_context: HubContext<Client>, to: number) {
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
  const connection = new HubConnectionBuilder()
    .withUrl(node.url("/chat"), { transport: HttpTransportType.WebSockets, ...sockets })
    .withStatefulReconnect()
    .configureLogging(LogLevel.None).build();
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
});
