/**
 * Starts one node of the chat: `node.ts [--port 8001] [--backplane redis://127.0.0.1:6379]`. Nodes
 * that are given one bus serve one chat. SIGTERM and Ctrl-C drain it.
 *
 * @module
 */
import { startNode } from "./chat_node.ts";
import { failToStart, print, readArguments, stopSignal } from "./command_line.ts";

const options = readArguments({
  command: "deno task node",
  port: 8001,
  backplane: "memory:",
  maximumPort: 65_535,
});
const stop = stopSignal();
const node = await startNode(options).catch(failToStart);
print(`Node ${options.port} serves ${node.url}`);
await stop;
await node.stop();
Deno.exit(0);
