import { assert } from "@std/assert";
import { delay } from "@std/async";
import { ask } from "../../kit/http.ts";
import { Child } from "../../kit/child.ts";
import { dial } from "../../kit/tcp.ts";
import { until } from "../../kit/wait.ts";

/** How many descriptors the process of the node may have. */
const DESCRIPTORS = 128;

/** Whether a node answers soon. */
async function answers(port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(500);
  const url = `http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1`;
  try {
    return (await ask(url, { method: "POST", signal })).status === 200;
  } catch {
    return false;
  }
}

Deno.test("listen() takes connections again after the process ran out of descriptors", async () => {
  const node = new URL("../../nodes/client/node_process.ts", import.meta.url).pathname;
  await using child = Child.startLimited(DESCRIPTORS, "run", "-A", "--no-check", node, "listen");
  const [, port] = await child.until(/ready (\d+)/);
  assert(await answers(Number(port)));
  // Deno opens files of its own for a moment after the start, and panics if it cannot.
  await delay(2000);
  const connections: Deno.TcpConn[] = [];
  for (let n = 0; n < 2 * DESCRIPTORS; n++) connections.push(await dial(Number(port)));
  // Time to accept as many as it can.
  await delay(1000);
  for (const connection of connections) connection.close();
  await until(() => answers(Number(port)));
  await child.until(/accepted no connection/);
});
