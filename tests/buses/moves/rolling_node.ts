/**
 * A node in a process of its own, which drains and ends at SIGTERM: `rolling_node.ts PORT BACKPLANE`. It
 * says that it is ready.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../../mod.ts";
import { hostWithListen } from "../../kit/servers/hosts.ts";

type Context = HubContext<{ heard(from: string, number: number): void }>;

const [port = "", bus = ""] = Deno.args;

const server = createHubServer({
  allowStatefulReconnects: true,
  hubs: {
    "/hub": defineHub({
      methods: {
        async join({ groups, connectionId }: Context, group: string) {
          await groups.add(connectionId, group);
        },
        async say({ clients }: Context, group: string, from: string, number: number) {
          await clients.group(group).send("heard", from, number);
        },
        add: (_context: Context, a: number, b: number) => a + b,
        /** How often the connection has asked. */
        count({ items }: Context) {
          const count = Number(items.get("count") ?? 0) + 1;
          items.set("count", count);
          return count;
        },
      },
    }),
  },
  backplane: await openBackplane(bus),
  authenticate: (request) => ({ id: new URL(request.url).searchParams.get("user") ?? "" }),
});
await server.ready;
await hostWithListen(server, Number(port));
print("ready");

Deno.addSignalListener("SIGTERM", async () => {
  await server.drain({ timeout: 10_000 });
  await server.close();
  print("drained");
  Deno.exit(0);
});

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
