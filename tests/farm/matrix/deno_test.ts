import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { CASES } from "../../kit/matrix/cases.ts";
import { startMatrixNode } from "./matrix_node.ts";
import { report } from "../../kit/matrix/report.ts";
import { COMBINATIONS, nameOf, runCases } from "../../kit/matrix/world.ts";

for (const [server, host] of Object.entries(HOSTS)) {
  for (const combination of COMBINATIONS) {
    const name = nameOf(combination);
    Deno.test(`the official client in Deno does everything over ${name}, on ${server}`, async (t) => {
      await using node = await startMatrixNode(host);
      using proxy = new CuttingProxy(node.port);
      const near = `http://127.0.0.1:${proxy.port}/hub`;
      const place = { ...combination, runtime: "deno", near, far: near } as const;
      await report(t, await runCases(CASES, place, proxy));
    });
  }
}
