import { type NodeOptions, StartError } from "./chat_node.ts";
import type { DemoNode } from "./demo_node.ts";
import type { WorkerOrder, WorkerReport } from "./worker.ts";

/**
 * Starts a node in a worker of this process.
 *
 * @throws {StartError} if the node cannot start.
 */
export async function startWorker(options: NodeOptions): Promise<DemoNode> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const started = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  worker.onerror = (event) => {
    event.preventDefault();
    started.reject(new Error(event.message));
    ended.resolve();
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
    if (data.type === "serving") started.resolve(data.url);
    else if (data.type === "failed") started.reject(new StartError(data.message));
    else ended.resolve();
  };
  const order = (what: WorkerOrder) => worker.postMessage(what);
  order({ type: "start", options });
  try {
    return {
      url: await started.promise,
      ended: ended.promise,
      async stop() {
        order({ type: "stop" });
        await ended.promise;
        worker.terminate();
      },
    };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
