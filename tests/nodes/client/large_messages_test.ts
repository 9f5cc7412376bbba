import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { Events } from "../../kit/wait.ts";

type Context = HubContext<{ got(value: unknown): void; state(text: string): void }>;

/** Larger than `maximumBufferedBytes`. */
const STATE = "x".repeat(3_000_000);

const hub = defineHub({
  methods: {
    state: (_context: Context) => STATE,
    async many({ clients }: Context) {
      for (let n = 0; n < 3000; n++) await clients.caller.send("got", `${n}`.padEnd(1000));
    },
  },
  connected: ({ clients }: Context) => clients.caller.send("state", STATE),
});

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  onEachServer(
    `${name}: an official client gets its state and 3,000 awaited messages, and stays connected`,
    async (serve) => {
      await using node = await serve({ hubs: { "/hub": hub } });
      await using client = await SignalRClient.connect(node.url("/hub"), { transport });
      const { id } = client;
      const got = new Events<number>();
      client.connection.on("got", (text: string) => got.add(Number(text)));
      assertEquals(await client.invoke("state"), STATE);
      await client.invoke("many");
      assertEquals(await got.take(3000), [...Array(3000).keys()]);
      assertEquals(await client.invoke("state"), STATE);
      assertEquals(client.id, id);
    },
  ).forEach((test) => Deno.test(test));
}
