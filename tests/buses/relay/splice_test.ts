/**
 * Official clients that may come back, whose WebSockets go to two nodes in turn.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { acknowledged } from "../../kit/acknowledged.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { withSeed } from "../../kit/random.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { hostWithFetch, hostWithListen } from "../../kit/servers/hosts.ts";
import { sized } from "../../kit/sizes.ts";
import { bounded, randomPrefix, until } from "../../kit/wait.ts";
import { BUSES } from "../scaleout/buses.ts";
import { Conversation } from "../stateful/conversation.ts";

const CUTS = sized(8, 40);

function client(port: number, protocol: string, sockets: ClientSockets): HubConnection {
  const builder = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${port}/chat`, {
      transport: HttpTransportType.WebSockets,
      ...sockets,
    })
    .withStatefulReconnect()
    .configureLogging(LogLevel.None);
  if (protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
  return builder.build();
}

for (const name of ["redis", "nats", "broadcast_channel"] as const) {
  for (const protocol of ["json", "messagepack"] as const) {
    Deno.test(`sockets of ${protocol} that are cut come back through another node, over ${name}`, () =>
      withSeed(async (random) => {
        const talk = new Conversation(random);
        await using bus = await BUSES[name]?.() ?? null;
        if (bus === null) throw new Error(`Cannot find bus: ${name}`);
        const prefix = randomPrefix();
        const openings: [number, number] = [0, 0];
        const start = async (node: 0 | 1, host: typeof hostWithFetch) =>
          await RunningNode.start({
            hubs: { "/chat": talk.hub },
            allowStatefulReconnects: true,
            statefulReconnectBufferSize: 500_000,
            backplane: await bus.open(prefix),
            authenticate(request) {
              if (request.headers.has("upgrade")) openings[node]++;
              return undefined;
            },
          }, host);
        await using one = await start(0, hostWithFetch);
        await using two = await start(1, hostWithListen);
        await Promise.all([one.server.ready, two.server.ready]);
        await until(() => [one, two].every(({ server }) => server.nodes.length === 2));
        using proxy = new CuttingProxy(one.port, two.port);
        const sockets = new ClientSockets();
        const connection = client(proxy.port, protocol, sockets);
        talk.listen(connection);
        await bounded(connection.start(), "a start");
        const id = connection.connectionId;
        talk.begin(connection);
        for (let cut = 0; cut < CUTS; cut++) {
          const direction = random() < 0.5 ? "up" : "down";
          const done = proxy.cutAfter(direction, 1 + Math.floor(random() ** 3 * 5000));
          await talk.goOn(connection, one.server, done, random() < 0.5);
          if (cut % 8 === 7) await talk.goOn(connection, one.server, delay(1200), true);
        }
        await talk.goOn(connection, one.server, Promise.resolve(), true);
        await talk.end();
        assertEquals(connection.connectionId, id);
        assert(Math.min(...openings) >= CUTS / 3, `${openings} sockets were opened at the nodes`);
        await connection.stop();
        await sockets.closed();
        await acknowledged();
        // The home hears of the end although the last socket was elsewhere, perhaps.
        await until(() => [one, two].every(({ server }) => server.health().connections === 0));
      }));
  }
}
