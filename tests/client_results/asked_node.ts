/**
 * A node in a process of its own, so that a test can kill it: `asked_node.ts BACKPLANE_URL`. It prints
 * its URL once it is ready.
 *
 * @module
 */
import { openBackplane } from "../../mod.ts";
import { startNode } from "./asking.ts";

if (import.meta.main) {
  const node = await startNode(await openBackplane(Deno.args[0] ?? ""));
  Deno.stdout.writeSync(new TextEncoder().encode(`${node.url("/hub")}\n`));
}
