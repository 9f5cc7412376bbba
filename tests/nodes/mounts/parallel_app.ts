/**
 * What a user runs with `deno serve --parallel`: every worker loads it.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../../mod.ts";

interface Client {
  got(text: string): void;
}

/** Unlike that of the other workers. */
const worker = crypto.randomUUID();

const server = createHubServer({
  hubs: {
    "/hub": defineHub({
      methods: {
        worker: (_context: HubContext<Client>) => worker,
        async shout({ clients }: HubContext<Client>, text: string) {
          await clients.all.send("got", text);
        },
      },
    }),
  },
  backplane: await openBackplane("broadcast:parallel"),
});
await server.ready;

export default server satisfies Deno.ServeDefaultExport;
