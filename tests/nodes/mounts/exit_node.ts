/** A server that ends its process as soon as it has closed. */
import { createHubServer, defineHub, MemoryBackplane } from "../../../mod.ts";

const server = createHubServer({
  hubs: {
    "/hub": defineHub({
      methods: {
        async leave() {
          await Promise.resolve();
          void end();
        },
      },
    }),
  },
  backplane: new MemoryBackplane(),
});

async function end(): Promise<void> {
  await server.drain();
  await server.close();
  Deno.exit(0);
}

Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
