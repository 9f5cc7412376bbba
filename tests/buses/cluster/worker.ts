/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** A node in a thread, whose name is the URL of its backplane; it is closed or, by a lock, blocked when told. */
import { startNode } from "./node.ts";

const server = await startNode(self.name, (line) => self.postMessage(line));

self.onmessage = async ({ data }: MessageEvent<"close" | SharedArrayBuffer>) => {
  if (data !== "close") Atomics.wait(new Int32Array(data), 0, 0, 60_000);
  else await server.close();
  self.postMessage("done");
};
