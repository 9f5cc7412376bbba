/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** A node in a thread, whose name is the URL of its backplane; it is blocked or closed when told. */
import { startNode } from "./node.ts";

const server = await startNode(self.name, (line) => self.postMessage(line));

self.onmessage = async ({ data }: MessageEvent<"close" | number>) => {
  if (data !== "close") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data);
  else await server.close();
  self.postMessage("done");
};
