/**
 * Official clients by long polling and event streams whose requests go to two nodes in turn, over each bus.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { JsonHubProtocol } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { BUSES } from "../scaleout/buses.ts";
import { Pair } from "../scaleout/nodes.ts";
import { pollingClient } from "./round_robin.ts";

const TRANSPORTS = ["LongPolling", "ServerSentEvents"] as const;

for (const name of ["memory", "broadcast_channel", "redis", "nats"] as const) {
  Deno.test(`clients send each request to the next node, over ${name}`, async () => {
    await using bus = await BUSES[name]?.() ?? null;
    if (bus === null) throw new Error(`Cannot find bus: ${name}`);
    await using pair = await Pair.start(bus);
    const { one, two } = pair;
    await until(() => [one, two].every(({ server }) => server.nodes.length === 2));
    for (const nodes of [[one.url, two.url], [two.url, one.url]]) {
      for (const transport of TRANSPORTS) {
        for (const protocol of [new JsonHubProtocol(), new MessagePackHubProtocol()]) {
          if (transport === "ServerSentEvents" && protocol.name === "messagepack") continue;
          const sockets = new ClientSockets();
          const connection = pollingClient(nodes, sockets, { transport, protocol });
          const heard = new Events<string>();
          connection.on("heard", heard.add);
          await bounded(connection.start(), `a start with ${transport}`);
          for (let call = 0; call < 20; call++) {
            assertEquals(await bounded(connection.invoke("echo", call), "an echo"), call);
          }
          const long = "x".repeat(30_000);
          assertEquals(await bounded(connection.invoke("echo", long), "a long echo"), long);
          const { connectionId } = connection;
          const expected: string[] = [];
          for (let message = 0; message < 20; message++) {
            for (const node of [one, two]) {
              await node.clients.client(connectionId ?? "").send("heard", `${message} ${node.url}`);
            }
            expected.push(`${message} ${one.url}`, `${message} ${two.url}`);
          }
          await heard.count(40);
          // The two nodes have an order each.
          for (const { url } of [one, two]) {
            const ofNode = (text: string) => text.endsWith(url);
            assertEquals(heard.all.filter(ofNode), expected.filter(ofNode));
          }
          await connection.stop();
          await sockets.closed();
        }
      }
    }
    assertEquals([...one.logger.lines, ...two.logger.lines], []);
  });
}
