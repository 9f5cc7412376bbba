/**
 * The restaurant on one node: `deno serve --allow-net --port 8000 examples/hono/main.ts`.
 *
 * @module
 */
import { openBackplane } from "@hubplane/hubplane";
import { createApp } from "./app.ts";

const { app, server } = createApp(await openBackplane("memory:"));
await server.ready;

/** `deno serve` stops listening by itself; the clients are asked to go to another node. */
async function stop(): Promise<void> {
  await server.drain();
  await server.close();
  // Deno waits for ever for a client that left while it connected.
  Deno.unrefTimer(setTimeout(Deno.exit, 5000, 0));
}

Deno.addSignalListener("SIGINT", stop);
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);

export default app satisfies Deno.ServeDefaultExport;
