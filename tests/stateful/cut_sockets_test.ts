import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../mod.ts";
import { CuttingProxy } from "../servers/cutting_proxy.ts";
import { redisUrl, startRedis } from "../servers/redis_server.ts";
import { PROTOCOLS } from "../client/signalr_client.ts";
import { RunningNode } from "../client/running_node.ts";
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

for (const protocol of PROTOCOLS) {
  Deno.test(`HubServer loses and doubles nothing while sockets of ${protocol} are cut 40 times`, async () => {
    await using redis = await startRedis();
    const url = redisUrl(redis, "stateful:");
    const called: number[] = [];
    await using node = new RunningNode({
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
    const builder = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${proxy.port}/chat`)
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
    for (let cut = 0; cut < CUTS; cut++) {
      const next = performance.now() + 40 + Math.random() * 100;
      while (performance.now() < next) {
        connection.send("say", sent++);
        other.hub("/chat").clients.all.send("news", told++);
        await delay(2);
      }
      proxy.cut();
    }
    await until(() => ends.length > 0 || (echoed.length >= sent && news.length >= told));
    assertEquals(ends, []);
    assertEquals(called, counted(sent), "what the hub was told");
    assertEquals(echoed, counted(sent), "what the client was answered");
    assertEquals(news, counted(told), "what came from the other node");
    assertEquals(connection.connectionId, id);
    await connection.stop();
  });
}

Deno.test("HubServer streams more to a stateful client than is kept for it", async () => {
  const hub = defineHub({
    methods: {
      async *count(_context: HubContext<Client>, to: number) {
        for (let number = 0; number < to; number++) {
          yield await Promise.resolve(`${number}`.padEnd(1000));
        }
      },
    },
  });
  await using node = new RunningNode({
    hubs: { "/chat": hub },
    allowStatefulReconnects: true,
    maximumBufferedBytes: 200_000,
    statefulReconnectBufferSize: 50_000,
  });
  const connection = new HubConnectionBuilder()
    .withUrl(node.url("/chat"))
    .withStatefulReconnect()
    .configureLogging(LogLevel.None).build();
  await connection.start();
  const items: number[] = [];
  const end = Promise.withResolvers<void>();
  connection.stream<string>("count", 250).subscribe({
    next: (item) => items.push(Number(item)),
    complete: end.resolve,
    error: end.reject,
  });
  await bounded(end.promise);
  assertEquals(items, counted(250));
  await connection.stop();
});
