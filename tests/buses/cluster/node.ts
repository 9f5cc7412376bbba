/**
 * A node in a process or a thread of its own. It says its name when it is ready, and each change of
 * another node. A process gets the URL of its backplane as an argument and says goodbye at SIGTERM; a
 * worker gets its URL as its name.
 *
 * @module
 */
import { createHubServer, defineHub, openBackplane } from "../../../mod.ts";

/** Starts a node that says what it sees. */
export async function startNode(url: string, say: (line: string) => void) {
  const backplane = await openBackplane(url);
  const server = createHubServer({ hubs: { "/hub": defineHub({ methods: {} }) }, backplane });
  server.onNodes(({ node, state, before = "new" }) => say(`${node}: ${before} → ${state}`));
  await server.ready;
  say(`ready ${server.nodes[0]?.name}`);
  return server;
}

if (import.meta.main) {
  const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const server = await startNode(Deno.args[0] ?? "", say);
  // Keeps the process alive.
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, server.fetch);
  Deno.addSignalListener("SIGTERM", async () => {
    await server.close();
    await http.shutdown();
    Deno.exit(0);
  });
}
