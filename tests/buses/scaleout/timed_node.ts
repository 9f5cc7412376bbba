/**
 * A node in a process of its own, whose timers are its own: `timed_node.ts SERVER`, with the name of
 * one of the {@link HOSTS}. It says its port; its hub says how many timers there are.
 *
 * @module
 */
import process from "node:process";
import { setTimeout } from "node:timers";
import { createHubServer, defineHub, type HubContext, MemoryBackplane } from "../../../mod.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";

type Context = HubContext<Record<never, never>>;

const [name = ""] = Deno.args;
const host = HOSTS[name];
if (host === undefined) throw new TypeError(`Cannot start node: no server ${name}`);

// The runtime lists no timer that does not keep the process.
Deno.unrefTimer = () => {};
const timer = setTimeout(() => {}, 0);
Object.getPrototypeOf(timer).unref = function <T>(this: T): T {
  return this;
};

const hub = defineHub({
  connected: ({ groups, connectionId }: Context) => groups.add(connectionId, "group"),
  methods: {
    timers: (_context: Context) =>
      process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
  },
});

const server = createHubServer({
  hubs: { "/hub": hub },
  backplane: new MemoryBackplane(),
  authenticate: (request) => ({ id: new URL(request.url).searchParams.get("user") ?? "ann" }),
});
await server.ready;
const { port } = await host(server);
Deno.stdout.writeSync(new TextEncoder().encode(`port ${port}\n`));
