/**
 * A node in a process of its own, so that a test can kill it: `node_process.ts SERVER PORT`, where the
 * server is one of the {@link HOSTS}. It says "ready" and its port when it listens.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, MemoryBackplane } from "../../../mod.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const [name = "", port = "0"] = Deno.args;
const host = HOSTS[name];
if (host === undefined) throw new Error(`Cannot find host: ${name}`);

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
const hosted = await host(server, Number(port));
Deno.stdout.writeSync(new TextEncoder().encode(`ready ${hosted.port}\n`));
