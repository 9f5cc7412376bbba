/**
 * A node on the bus of the first argument, behind `Deno.serve`, or with "listen" as the second behind
 * `listen()`. It prints its port and runs until it is killed.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "@hubplane/hubplane";

interface EchoClient {
  echo(text: string): void;
}

const hub = defineHub({
  methods: {
    async shout({ clients }: HubContext<EchoClient>, text: string) {
      await clients.all.send("echo", text);
    },
  },
});

const server = createHubServer({
  hubs: { "/echo": hub },
  backplane: await openBackplane(Deno.args[0] ?? "memory:"),
});
await server.ready;
if (Deno.args[1] === "listen") {
  const { listen } = await import("@hubplane/hubplane/listen");
  onListen(await listen(server, { hostname: "127.0.0.1", port: 0 }));
} else Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, server.fetch);

function onListen({ port }: { port: number }): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
}
