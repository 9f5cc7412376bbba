import { delay } from "@std/async";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { randomPrefix, until } from "../../kit/wait.ts";
import { BusyNode } from "./busy_node.ts";

/** The nodes of a farm. */
const NODES = 3;

/** A bus that hangs is noticed within 700 ms. */
const PROBES = { probeInterval: 200, probeTimeout: 500 };

Deno.test("a farm moves from Redis to NATS in rolling deploys and loses nothing", async () => {
  await using redis = await startRedis();
  await using nats = await startNats();
  const prefix = randomPrefix();
  const [old, new_] = [redisUrl(redis, prefix), natsUrl(nats, prefix)];
  const all: BusyNode[] = [];
  let living: BusyNode[] = [];
  const deploy = async (setting: string, urls: string | string[]) => {
    const before = living;
    for (let index = 0; index < NODES; index++) {
      const node = await BusyNode.start(`${setting} ${index}`, urls, { others: living });
      // A join under load may report a gap of a few milliseconds, and so may a goodbye to a newcomer.
      await node.settled();
      node.begin();
      all.push(node);
      living = [...living, node];
      await before[index]?.end();
      living = living.filter((each) => each !== before[index]);
    }
    for (const node of living) await node.onAll();
    const heard = living.map((node) => node.heard);
    await until(() => living.every((node, index) => node.heard > (heard[index] ?? 0) + 100));
  };
  await deploy("old", old);
  await deploy("both", [old, new_]);
  await deploy("new", new_);
  for (const node of living) await node.quiet();
  for (const node of living) await node.end();
  for (const node of all) node.check();
});

for (const fault of ["killed", "stopped"] as const) {
  Deno.test(`nothing is lost while one of two Redis servers is ${fault}, then the other`, async () => {
    await using one = await startRedis();
    await using other = await startRedis();
    const prefix = randomPrefix();
    const nodes: BusyNode[] = [];
    for (let index = 0; index < NODES; index++) {
      const urls = [one, other].map((server) => redisUrl(server, prefix));
      nodes.push(await BusyNode.start(`${index}`, urls, { others: nodes, options: PROBES }));
    }
    for (const node of nodes) {
      await node.onAll();
      node.begin();
    }
    for (const server of [one, other]) {
      // The gap of a bus begins with the last probe that the bus has answered before its loss.
      await delay(3 * PROBES.probeInterval);
      await (fault === "killed" ? server.stop() : server.pause());
      await delay(2 * (PROBES.probeInterval + PROBES.probeTimeout));
      await (fault === "killed" ? server.start() : server.resume());
      for (const node of nodes) await node.onAll();
    }
    for (const node of nodes) await node.quiet();
    for (const node of nodes) await node.end();
    for (const node of nodes) node.check();
  });
}
