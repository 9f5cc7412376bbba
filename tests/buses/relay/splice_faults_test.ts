/**
 * Sockets of clients that come back through another node, while the bus or the home goes away, and of other
 * users.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { acknowledged } from "../../kit/acknowledged.ts";
import { Child } from "../../kit/child.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { ask } from "../../kit/http.ts";
import { withSeed } from "../../kit/random.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { RawSocket } from "../../kit/socket.ts";
import { bounded, Events, randomPrefix, until } from "../../kit/wait.ts";
import { SERVED_BUSES } from "../scaleout/buses.ts";
import { Node, Pair } from "../scaleout/nodes.ts";
import { Conversation } from "../stateful/conversation.ts";

const HOME = new URL("home.ts", import.meta.url).href;

async function open(name: "redis" | "nats") {
  const bus = await SERVED_BUSES[name]?.();
  if (bus === undefined) throw new Error(`Cannot find bus: ${name}`);
  return bus;
}

function client(url: string, sockets: ClientSockets) {
  return new HubConnectionBuilder()
    .withUrl(url, { transport: HttpTransportType.WebSockets, ...sockets })
    .withStatefulReconnect()
    .configureLogging(LogLevel.None)
    .build();
}

for (const name of ["redis", "nats"] as const) {
  onEachServer(
    `a spliced socket outlives ${name}, and loses nothing`,
    (serve) =>
      withSeed(async (random) => {
        const talk = new Conversation(random);
        await using bus = await open(name);
        const prefix = randomPrefix();
        const start = async () =>
          await serve({
            hubs: { "/chat": talk.hub },
            allowStatefulReconnects: true,
            statefulReconnectBufferSize: 500_000,
            backplane: await bus.open(prefix),
          });
        await using one = await start();
        await using two = await start();
        await Promise.all([one.server.ready, two.server.ready]);
        await until(() => [one, two].every(({ server }) => server.nodes.length === 2));
        // The client negotiates with the first node, connects to the second, and comes back to the first.
        using proxy = new CuttingProxy(one.port, two.port);
        const sockets = new ClientSockets();
        const connection = client(`http://127.0.0.1:${proxy.port}/chat`, sockets);
        talk.listen(connection);
        await bounded(connection.start());
        talk.begin(connection);
        await talk.goOn(connection, two.server, Promise.resolve(), true);
        await talk.goOn(connection, two.server, proxy.cutAfter("down", 500), true);
        const away = (async () => {
          await bus.server.stop();
          await delay(700);
          await bus.server.start();
          await until(() => [one, two].every(({ server }) => server.status === "open"));
        })();
        await talk.goOn(connection, two.server, away, true);
        await talk.end();
        await connection.stop();
        await sockets.closed();
        await acknowledged();
        await until(() => [one, two].every(({ server }) => server.health().connections === 0));
      }),
  ).forEach((test) => Deno.test(test));
}

Deno.test("a spliced socket ends with its home, and its client is told that the connection is gone", async () => {
  await using bus = await open("redis");
  const prefix = randomPrefix();
  const url = `redis://127.0.0.1:${bus.server.port}?prefix=${encodeURIComponent(prefix)}`;
  await using node = await Node.start(await bus.open(prefix), { allowStatefulReconnects: true });
  await using home = Child.start("run", "--allow-all", "--no-check", "--quiet", HOME, url);
  const [, port] = await home.until(/port (\d+)/);
  await until(() => node.server.nodes.length === 2);
  // The socket is at the home at first.
  using proxy = new CuttingProxy(Number(port), Number(port), Number(new URL(node.url).port));
  const sockets = new ClientSockets();
  const connection = client(`http://127.0.0.1:${proxy.port}/hub`, sockets);
  const closed = new Events<unknown>();
  connection.onclose(closed.add);
  await bounded(connection.start());
  assertEquals(await bounded(connection.invoke("echo", 1)), 1);
  const staying = connection.invoke("stay");
  await delay(300);
  proxy.cut(2);
  // The connection cannot leave its home: the socket is spliced.
  await delay(1500);
  assertEquals([connection.state, node.server.health().connections], ["Connected", 0]);
  await home.end("SIGKILL");
  await closed.next();
  await assertRejects(() => staying);
  await sockets.closed();
  await acknowledged();
});

Deno.test("a socket for a connection of another node is refused to other users, and where none may come back", async () => {
  await using bus = await open("redis");
  await using pair = await Pair.start(bus, { allowStatefulReconnects: true });
  const { one, two } = pair;
  await until(() => [one, two].every(({ server }) => server.nodes.length === 2));
  const [home, relay] = [one, two].map(({ url }) => Number(new URL(url).port)) as [number, number];
  const start = async (query: string, version: 1 | 2) => {
    const url = `${one.url}/negotiate?negotiateVersion=1${query}`;
    const { text } = await ask(url, { method: "POST" });
    const path = `/hub?id=${JSON.parse(text).connectionToken}`;
    const socket = await RawSocket.connect(home, `${path}${query}`, "json", version);
    return { path, socket };
  };
  const stateful = await start("&useStatefulReconnect=true&user=ann", 2);
  const plain = await start("&user=ann", 1);
  const status = async (path: string) => {
    const { response, socket } = await RawSocket.request(relay, path);
    socket?.[Symbol.dispose]();
    return response.status;
  };
  assertEquals(await status(`${stateful.path}&user=bob`), 403);
  assertEquals(await status(stateful.path), 403);
  assertEquals(await status(`${plain.path}&user=ann`), 404);
  assertEquals(await status(`${stateful.path}&user=ann`), 101);
  stateful.socket[Symbol.dispose]();
  plain.socket[Symbol.dispose]();
});
