/**
 * The restaurant on one node: `deno serve --allow-net --port 8000 examples/hono/main.ts`.
 *
 * @module
 */
import { openBackplane } from "@hubplane/hubplane";
import { createApp } from "./app.ts";

const { app } = createApp(await openBackplane("memory:"));

export default app satisfies Deno.ServeDefaultExport;
