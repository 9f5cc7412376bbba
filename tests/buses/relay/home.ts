/**
 * A node in a process of its own, so that it can be killed. Its argument is the URL of the backplane; it says
 * its port when it is ready.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../../mod.ts";

type Context = HubContext<{ heard(text: string): void }>;

const server = createHubServer({
  allowStatefulReconnects: true,
  hubs: {
    "/hub": defineHub({
      methods: {
        echo: (_context: Context, value: unknown) => value,
        /** A call that never ends, so that its connection cannot leave. */
        stay: () => new Promise<void>(() => {}),
      },
    }),
  },
  backplane: await openBackplane(Deno.args[0] ?? ""),
});
await server.ready;
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => Deno.stdout.writeSync(new TextEncoder().encode(`port ${port}\n`)),
}, server.fetch);
