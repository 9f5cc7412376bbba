import { assertEquals, assertRejects } from "@std/assert";
import { type Backplane, BackplaneUnavailableError, openBackplane } from "../../../mod.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { bounded, randomPrefix } from "../../kit/wait.ts";
import { Node } from "./nodes.ts";
import { channelsOf, untilChannels } from "./redis_channels.ts";

function open(server: ServerProcess, prefix: string): Promise<Backplane> {
  return openBackplane(redisUrl(server, prefix));
}

/** Resolves when the bus is back for `node`. */
async function untilStatus(node: Node, status: Backplane["status"]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listener = node.server.onStatus((event) => {
    if (event.status === status) resolve();
  });
  if (node.server.status === status) resolve();
  await bounded(promise, `the backplane to be ${status}`);
}

Deno.test("createHubServer() holds on Redis what its clients need, and gives up the rest", async () => {
  await using server = await startRedis();
  const prefix = randomPrefix();
  await using node = await Node.start(await open(server, prefix), { unsubscribeDelay: 500 });
  const base = await channelsOf(server.port, prefix);
  const named = base.map((channel) => channel.replace(/deno_[0-9a-f]{32}$/, "…"));
  const internal = ["groups", "ack:…", "return:…"].map((use) => `hub:internal:${use}`);
  const ofNodes = ["internal:hubplane:node:…", "internal:hubplane:signs"];
  assertEquals(named.sort(), ["hub:all", ...internal, ...ofNodes].sort());
  await using ann = await node.connect("ann");
  await node.groups.add(ann.id, "*");
  const own = [`hub:connection:${ann.id}`, "hub:user:ann"];
  await untilChannels(server.port, prefix, [...base, ...own, "hub:group:*"]);
  await node.groups.remove(ann.id, "*");
  await node.groups.add(ann.id, "other");
  await untilChannels(server.port, prefix, [...base, ...own, "hub:group:other"]);
  await ann.connection.stop();
  await untilChannels(server.port, prefix, base);
});

Deno.test("createHubServer() over Redis keeps every member through a restart of Redis", async () => {
  await using server = await startRedis();
  const prefix = randomPrefix();
  await using one = await Node.start(await open(server, prefix));
  await using two = await Node.start(await open(server, prefix));
  await using before = await one.connect("ann");
  await one.groups.add(before.id, "group");
  await server.stop();
  for (const node of [one, two]) await untilStatus(node, "reconnecting");
  await assertRejects(() => one.clients.all.send("heard", "local"), BackplaneUnavailableError);
  await using meanwhile = await one.connect("bob");
  await one.groups.add(meanwhile.id, "group");
  await assertRejects(() => one.groups.add(meanwhile.id, "new"), BackplaneUnavailableError);
  await one.groups.remove(before.id, "group");
  await server.start();
  for (const node of [one, two]) await untilStatus(node, "open");
  await two.clients.group("group").send("heard", "group");
  await two.clients.client(meanwhile.id).send("heard", "connection");
  await two.clients.user("bob").send("heard", "user");
  await two.groups.add(meanwhile.id, "new");
  await two.clients.group("new").send("heard", "new");
  await two.clients.all.send("heard", "all");
  await meanwhile.heard.count(5);
  assertEquals(meanwhile.texts, ["group", "connection", "user", "new", "all"]);
  await before.heard.count(2);
  assertEquals(before.texts, ["local", "all"]);
});

Deno.test("createHubServer() that starts before Redis hears the others once it is there", async () => {
  await using server = await startRedis({ running: false });
  const prefix = randomPrefix();
  await using one = await Node.open(await open(server, prefix));
  await using two = await Node.open(await open(server, prefix));
  assertEquals(one.server.status, "connecting");
  await using client = await one.connect("ann");
  await server.start();
  for (const node of [one, two]) await bounded(node.server.ready, "a node to be ready");
  await two.clients.user("ann").send("heard", "user");
  await two.groups.add(client.id, "group");
  await two.clients.group("group").send("heard", "group");
  await client.heard.count(2);
});
