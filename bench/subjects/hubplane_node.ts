/**
 * A node of Hubplane, as its README shows it:
 * `hubplane_node.ts --port=P [--bus=URL] [--parallel=N] [--listen]`.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "@hubplane/hubplane";
import { announce, readNodeArguments } from "./node_arguments.ts";

interface Client {
  message(payload: string): void;
}
type Context = HubContext<Client>;

const hub = defineHub({
  methods: {
    all({ clients }: Context, payload: string) {
      return clients.all.send("message", payload);
    },
    group({ clients }: Context, name: string, payload: string) {
      return clients.group(name).send("message", payload);
    },
    one({ clients }: Context, connectionId: string, payload: string) {
      return clients.client(connectionId).send("message", payload);
    },
    echo(_: Context, payload: string) {
      return payload;
    },
    async join({ groups, connectionId }: Context, name: string) {
      await groups.add(connectionId, name);
    },
    async enlist({ groups }: Context, connectionId: string, name: string) {
      await groups.add(connectionId, name);
    },
    async leave({ groups, connectionId }: Context, name: string) {
      await groups.remove(connectionId, name);
    },
  },
});

const { port, bus, parallel, listen } = readNodeArguments();
const server = createHubServer({
  hubs: { "/hub": hub },
  backplane: await openBackplane(bus ?? "memory:"),
  maximumParallelInvocationsPerClient: parallel,
});
await server.ready;
const where = { hostname: "127.0.0.1", port };
if (listen) {
  // Loaded only if it is used: `npm:ws` takes memory.
  const { listen } = await import("@hubplane/hubplane/listen");
  announce((await listen(server, { ...where, maximumConnections: 100_000 })).port);
} else announce(Deno.serve({ ...where, onListen() {} }, server.fetch).addr.port);
