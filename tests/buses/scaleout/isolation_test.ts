import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createHubServer,
  defineHub,
  GroupAckTimeoutError,
  type HubContext,
  MemoryBackplane,
  openBackplane,
} from "../../../mod.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { bounded, randomPrefix } from "../../kit/wait.ts";
import { Node, OfficialClient } from "./nodes.ts";
import type { TestClient } from "../../kit/pipe_node.ts";
import { channelsOf, untilChannels } from "./redis_channels.ts";

type Context = HubContext<TestClient>;

/** A hub whose clients can join groups. */
function joinable() {
  return defineHub({
    methods: {
      join: ({ groups, connectionId }: Context, group: string) => groups.add(connectionId, group),
      echo: (_context: Context, value: unknown) => value,
    },
  });
}

Deno.test("createHubServer() makes one hub of one object at two paths", async () => {
  const hub = joinable();
  await using server = createHubServer({
    hubs: { "/one": hub, "/two": hub },
    backplane: new MemoryBackplane(),
  });
  await using http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, server.fetch);
  const url = `http://127.0.0.1:${http.addr.port}`;
  await using one = await OfficialClient.connect(`${url}/one`);
  await using two = await OfficialClient.connect(`${url}/two`);
  for (const { connection } of [one, two]) await connection.invoke("join", "group");
  await server.hub("/one").clients.group("group").send("heard", "group");
  await server.hub("/two").clients.all.send("heard", "all");
  for (const client of [one, two]) {
    await client.heard.count(2);
    assertEquals(client.texts, ["group", "all"]);
  }
  await server.close();
});

Deno.test("createHubServer() keeps two hubs on one server and backplane apart", async () => {
  await using server = createHubServer({
    hubs: { "/one": joinable(), "/two": joinable() },
    backplane: new MemoryBackplane(),
    authenticate: () => ({ id: "ann" }),
  });
  await using http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, server.fetch);
  const url = `http://127.0.0.1:${http.addr.port}`;
  await using one = await OfficialClient.connect(`${url}/one`);
  await using two = await OfficialClient.connect(`${url}/two`);
  for (const { connection } of [one, two]) await connection.invoke("join", "group");
  const { clients } = server.hub("/one");
  await clients.all.send("heard", "all");
  await clients.group("group").send("heard", "group");
  await clients.user("ann").send("heard", "user");
  await clients.client(two.id).send("heard", "client");
  await server.hub("/two").clients.all.send("heard", "last");
  await one.heard.count(3);
  await two.heard.count(1);
  assertEquals(one.texts, ["all", "group", "user"]);
  assertEquals(two.texts, ["last"]);
  await server.close();
});

Deno.test("createHubServer() keeps applications of different prefixes on one Redis apart", async () => {
  await using redis = await startRedis();
  const open = () => openBackplane(redisUrl(redis, randomPrefix()));
  const options = { groupAckTimeout: 200 };
  await using one = await Node.start(await open(), options);
  await using two = await Node.start(await open(), options);
  await using ann = await one.connect("ann");
  await using also = await two.connect("ann");
  await one.groups.add(ann.id, "group");
  await two.groups.add(also.id, "group");
  await one.clients.all.send("heard", "all");
  await one.clients.group("group").send("heard", "group");
  await one.clients.user("ann").send("heard", "user");
  await one.clients.client(also.id).send("heard", "client");
  await assertRejects(() => one.groups.add(also.id, "group"), GroupAckTimeoutError);
  await two.clients.all.send("heard", "last");
  await ann.heard.count(3);
  await also.heard.count(1);
  assertEquals(ann.texts, ["all", "group", "user"]);
  assertEquals(also.texts, ["last"]);
});

Deno.test("createHubServer() is not harmed by another node's SIGKILL", async () => {
  await using redis = await startRedis();
  const prefix = randomPrefix();
  const url = redisUrl(redis, prefix);
  await using node = await Node.start(await openBackplane(url), { groupAckTimeout: 1500 });
  const own = await channelsOf(redis.port, prefix);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", new URL("killed_node.ts", import.meta.url).href, url],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const there = await OfficialClient.connect(await firstLine(child.stdout));
    await using here = await node.connect("ann");
    for (const { id } of [here, there]) await node.groups.add(id, "group");
    await node.clients.group("group").send("heard", "both");
    for (const client of [here, there]) await client.heard.count(1);
    const gone = there.id;
    child.kill("SIGKILL");
    await child.status;
    const [error] = await there.closed.count(1);
    assert(error instanceof Error);
    await untilChannels(redis.port, prefix, [
      ...own,
      `hub:connection:${here.id}`,
      "hub:user:ann",
      "hub:group:group",
    ]);
    await assertRejects(() => node.groups.add(gone, "group"), GroupAckTimeoutError);
    await node.clients.client(gone).send("heard", "nobody");
    await node.clients.group("group").send("heard", "one");
    await here.heard.count(2);
    assertEquals(here.texts, ["both", "one"]);
    assertEquals(node.logger.errors.all, []);
  } finally {
    await end(child);
  }
});

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await bounded(reader.read(), "the other node to be ready");
    if (done) throw new Error("The other node ended before it was ready");
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.trim();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  await child.status;
}
