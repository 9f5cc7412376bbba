import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, until } from "../../kit/wait.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { acknowledged } from "../../kit/acknowledged.ts";

/** Longer than any test: nothing that happens here happens because a time has passed. */
const NEVER = 3_600_000;

type Context = HubContext<{ got(number: number): void }>;

for (const protocol of PROTOCOLS) {
  onEachServer(
    `HubServer lets a client of ${protocol} go on at once when its old way swallows everything`,
    async (serve) => {
      const noted: number[] = [];
      const ends: unknown[] = [];
      const hub = defineHub({
        methods: {
          note: (_context: Context, number: number) => void noted.push(number),
          echo: (_context: Context, number: number) => number,
        },
        disconnected: (_context, error) => ends.push(error),
      });
      await using node = await serve({
        hubs: { "/hub": hub },
        allowStatefulReconnects: true,
        clientTimeoutInterval: NEVER,
        disconnectTimeout: NEVER,
        transportSendTimeout: NEVER,
      });
      using proxy = new CuttingProxy(node.port);
      {
        await using client = await SignalRClient.connect(`http://127.0.0.1:${proxy.port}/hub`, {
          ...{ protocol, stateful: true, serverTimeout: NEVER, keepAlive: NEVER },
        });
        const { id, connection } = client;
        const ROUNDS = [0, 1, 2, 3];
        for (const round of ROUNDS) {
          assertEquals(await client.invoke("echo", round), round);
          // Neither side can tell this from silence; what they say lies on the way.
          const old = proxy.hold();
          await connection.send("note", round);
          await until(() => old.bytes > 0);
          const half = old.bytes;
          await node.server.hub("/hub").clients.all.send("got", round);
          await until(() => old.bytes > half);
          // The client hears that its network is another; the server goes on believing in the old socket.
          old.dropClients();
          // What it had swallowed comes after the client, or in every second round with it.
          const released = round % 2 === 1 ? old.release() : undefined;
          assertEquals(await client.invoke("echo", round), round);
          assertEquals([noted.at(-1), client.got.all.at(-1)], [round, [round]]);
          await bounded(released ?? old.release());
          assertEquals(await client.invoke("echo", round), round);
        }
        assertEquals(noted, ROUNDS);
        assertEquals(client.got.all, ROUNDS.map((round) => [round]));
        assertEquals([client.id, client.events.all, ends], [id, [], []]);
      }
      await acknowledged();
    },
  ).forEach((test) => Deno.test(test));
}
