/**
 * Starts two nodes of the chat: `demo.ts [--port 8001] [--backplane broadcast:chat]`. On a
 * `broadcast:` bus they are workers of this process; on any other each has a process of its own.
 * Ctrl-C and SIGTERM stop both.
 *
 * @module
 */
import type { NodeOptions } from "./chat_node.ts";
import { fail, failToStart, print, readArguments, stopSignal } from "./command_line.ts";
import type { DemoNode } from "./demo_node.ts";
import { startProcess } from "./node_process.ts";
import { startWorker } from "./node_worker.ts";

const { port, backplane } = readArguments({
  command: "deno task demo",
  port: 8001,
  backplane: "broadcast:chat",
  maximumPort: 65_534,
});
if (/^memory:/i.test(backplane)) {
  fail(
    "Cannot start two nodes on memory: they would not hear each other; broadcast:chat joins them",
  );
}
const stop = stopSignal().then(() => true);
const nodes = await startBoth({ port, backplane }).catch(failToStart);
let running = true;
print("Two nodes serve one chat; open each in a window of its own:");
for (const { url, pid, ended } of nodes) {
  print(pid === undefined ? `  ${url}` : `  ${url}  (process ${pid})`);
  ended.then(() => {
    if (running) print(`The node at ${url} has ended`);
  });
}
print("Ctrl-C stops both");

const everyEnd = Promise.all(nodes.map(({ ended }) => ended)).then(() => false);
const stopped = await Promise.race([stop, everyEnd]);
running = false;
await Promise.all(nodes.map((node) => node.stop()));
Deno.exit(stopped ? 0 : 1);

/** One after the other, so that a bus out of reach is reported once. */
async function startBoth({ port, backplane }: NodeOptions): Promise<readonly DemoNode[]> {
  const start = /^broadcast:/i.test(backplane) ? startWorker : startProcess;
  const first = await start({ port, backplane });
  try {
    return [first, await start({ port: port + 1, backplane })];
  } catch (error) {
    await first.stop();
    throw error;
  }
}
