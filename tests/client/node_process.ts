/**
 * A node in a process of its own, so that a test can kill it. Started with the port as its argument;
 * says "ready" when it listens.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, MemoryBackplane } from "../../mod.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const [port = "0"] = Deno.args;

const hub = defineHub({
  methods: {
    pid: (_context: Context) => Deno.pid,
    async tellAll({ clients }: Context, value: unknown) {
      await clients.all.send("got", value);
    },
    forever: (_context: Context) => new Promise<never>(() => {}),
  },
});

const server = createHubServer({ hubs: { "/hub": hub }, backplane: new MemoryBackplane() });

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: () => {
    Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
  },
}, server.fetch);
