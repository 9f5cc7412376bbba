import { openBackplane } from "../../mod.ts";
import { randomPrefix } from "../scaleout/arrivals.ts";
import { CuttingProxy } from "../servers/cutting_proxy.ts";
import { HOSTS } from "../servers/hosts.ts";
import { redisUrl, startRedis } from "../servers/redis_server.ts";
import { CASES_AFAR } from "./cases.ts";
import { startMatrixNode } from "./matrix_node.ts";
import { report } from "./report.ts";
import { COMBINATIONS, nameOf, runCases } from "./world.ts";

for (const [server, host] of Object.entries(HOSTS)) {
  Deno.test(`official clients of two nodes on one Redis reach and ask each other, on ${server}`, async (t) => {
    await using redis = await startRedis();
    const prefix = randomPrefix();
    const start = async () =>
      await startMatrixNode(host, { backplane: await openBackplane(redisUrl(redis, prefix)) });
    await using near = await start();
    await using far = await start();
    using line = new CuttingProxy(near.port);
    for (const combination of COMBINATIONS) {
      const place = {
        ...combination,
        runtime: "deno",
        near: `http://127.0.0.1:${line.port}/hub`,
        far: far.url("/hub"),
      } as const;
      const outcomes = await runCases(CASES_AFAR, place, line);
      await t.step(nameOf(combination), (t) => report(t, outcomes));
    }
  });
}
