/**
 * Nodes as workers of one process, each with its own port:
 * `hubplane_workers.ts --workers=N --bus=broadcast:NAME [--parallel=N]`. Workers get the same arguments.
 *
 * @module
 */
import { readNodeArguments } from "./node_arguments.ts";

const { workers } = readNodeArguments();
for (let i = 0; i < workers; i++) {
  new Worker(new URL("hubplane_node.ts", import.meta.url), { type: "module" });
}
