/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * A node of the chat in a worker of the demo, which does what it is told by `node_worker.ts`.
 *
 * @module
 */
import { type ChatNode, type NodeOptions, StartError, startNode } from "./chat_node.ts";

/** What the worker is told. */
export type WorkerOrder =
  | { readonly type: "start"; readonly options: NodeOptions }
  | { readonly type: "stop" };

/** What it tells. */
export type WorkerReport =
  | { readonly type: "serving"; readonly url: string }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "stopped" };

let node: ChatNode | undefined;

function report(what: WorkerReport): void {
  self.postMessage(what);
}

async function obey(order: WorkerOrder): Promise<void> {
  if (order.type === "stop") {
    await node?.stop();
    return report({ type: "stopped" });
  }
  try {
    node = await startNode(order.options);
    report({ type: "serving", url: node.url });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    report({ type: "failed", message: error.message });
  }
}

self.onmessage = ({ data }: MessageEvent<WorkerOrder>) => {
  obey(data);
};
