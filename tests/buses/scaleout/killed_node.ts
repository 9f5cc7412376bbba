/**
 * A node in a process of its own: `killed_node.ts BACKPLANE_URL`. It prints its URL once it is ready.
 *
 * @module
 */
import { openBackplane } from "../../../mod.ts";
import { Node } from "./nodes.ts";

if (import.meta.main) {
  const node = await Node.start(await openBackplane(Deno.args[0] ?? ""));
  await Deno.stdout.write(new TextEncoder().encode(`${node.url}\n`));
}
