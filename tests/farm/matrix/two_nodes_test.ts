import { openBackplane } from "../../../mod.ts";
import { randomPrefix } from "../../kit/wait.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { type Host, HOSTS, hostWithFetch, hostWithListen } from "../../kit/servers/hosts.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { CASES } from "../../kit/matrix/cases.ts";
import { type MatrixNode, type MatrixNodeOptions, startMatrixNode } from "./matrix_node.ts";
import { runInChromium } from "./pages.ts";
import { report } from "../../kit/matrix/report.ts";
import { COMBINATIONS, nameOf, runCases } from "../../kit/matrix/world.ts";

/** Starts a Redis, and gives what starts nodes on it; they end with `stack`, and before their Redis. */
async function startFarm(stack: AsyncDisposableStack) {
  const redis = stack.use(await startRedis());
  const prefix = randomPrefix();
  return async (host: Host, options: MatrixNodeOptions = {}): Promise<MatrixNode> => {
    const backplane = await openBackplane(redisUrl(redis, prefix));
    return stack.use(await startMatrixNode(host, { ...options, backplane }));
  };
}

/** How the connections of clients go to two nodes: each client's to one node, or in turn. */
const BALANCES = { "of two nodes on one Redis": false, "without sticky sessions": true } as const;

async function doEverything(t: Deno.TestContext, host: Host, inTurn: boolean): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const start = await startFarm(stack);
  const [near, far] = [await start(host), await start(host)];
  const line = stack.use(new CuttingProxy(near.port, ...inTurn ? [far.port] : []));
  for (const combination of COMBINATIONS) {
    const place = {
      ...combination,
      runtime: "deno",
      near: `http://127.0.0.1:${line.port}/hub`,
      far: far.url("/hub"),
    } as const;
    const outcomes = await runCases(CASES, place, line);
    await t.step(nameOf(combination), (t) => report(t, outcomes));
  }
}

for (const [server, host] of Object.entries(HOSTS)) {
  for (const [balance, inTurn] of Object.entries(BALANCES)) {
    Deno.test(
      `official clients ${balance} do everything, on ${server}`,
      (t) => doEverything(t, host, inTurn),
    );
  }
}

Deno.test("official clients in Chromium reach and ask each other on two nodes, on fetch and listen", async (t) => {
  await using stack = new AsyncDisposableStack();
  const start = await startFarm(stack);
  await runInChromium(t, "afar", async (options) => [
    await start(hostWithFetch, options),
    await start(hostWithListen, options),
  ]);
});
