import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { randomPrefix } from "../../kit/wait.ts";
import { sized } from "../../kit/sizes.ts";
import { addClusterNode, addReplica, joinCluster, openTopology } from "../redis/topology.ts";
import { type Outcome, run } from "./trial.ts";

/** How long nodes go on sending when a master has gone: longer than its replica takes to follow. */
const FAILOVER = 6000;

/** Three nodes on a cluster of three masters, one of which is killed while its replica lives. */
async function failover(): Promise<Outcome> {
  await using cluster = await openTopology();
  for (let master = 0; master < 3; master++) await addClusterNode(cluster);
  await joinCluster(cluster);
  const [first] = cluster.servers;
  assert(first !== undefined);
  await addReplica(cluster, first);
  const ports = cluster.servers.map(({ port }) => port).join();
  const url = `cluster:${ports}?prefix=${encodeURIComponent(randomPrefix())}`;
  return await run({
    urls: [url, url, url],
    rate: 50,
    async fault() {
      await first.stop();
      await delay(FAILOVER);
    },
  });
}

const RUNS = Number(Deno.env.get("LOSS_RUNS") ?? 3);

for (const turn of sized<readonly number[]>([], [...Array(RUNS).keys()])) {
  Deno.test(`no message is lost when a master of a Redis Cluster is killed, ${turn}`, async () => {
    // A send that was rejected was told to its sender, and is not lost.
    const { reports, lost, twice, disordered, reported, ...figures } = await failover();
    const outcome = { lost, twice, disordered, reported };
    // deno-lint-ignore no-console -- this is what LOSS_RUNS is set for
    if (Deno.env.has("LOSS_RUNS")) console.info(JSON.stringify({ ...outcome, ...figures }));
    const never = { lost: 0, twice: 0, disordered: 0, reported: 0 };
    assertEquals(outcome, never, Deno.inspect(reports));
  });
}
