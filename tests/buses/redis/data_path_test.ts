import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Redis } from "ioredis";
import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import {
  RedisBackplane,
  type RedisBackplaneOptions,
  type RedisRole,
} from "../../../backplanes/redis.ts";
import { createHubServer, defineHub } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { firstAnswer, type ServerProcess } from "../../kit/servers/server_process.ts";
import { addServer, openTopology } from "./topology.ts";
import { bounded, bytes, Inbox, nextEvent, until, untilStatus } from "../../kit/wait.ts";

/** Durations in which a broken path is noticed soon. */
const QUICK = { probeInterval: 20, probeTimeout: 500 };

/** Starts a master and a replica; resolves when the replica receives what is published on the master. */
async function startBoth() {
  const topology = await openTopology();
  const master = await addServer(topology, ["--save", "", "--repl-diskless-sync-delay", "0"]);
  const follow = [
    "--save",
    "",
    "--repl-diskless-load",
    "on-empty-db",
    "--replicaof",
    "127.0.0.1",
    `${master.port}`,
  ];
  const replica = await addServer(topology, [...follow, "--repl-diskless-sync-delay", "0"]);
  await until(async () =>
    (await firstAnswer(replica.port, "INFO replication\r\n")).includes("master_link_status:up")
  );
  return { ...topology, master, replica };
}

/** One address that leads to each of `ports` in turn. */
class Alternating implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];

  constructor(ports: readonly number[]) {
    this.#accept(ports);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #accept(ports: readonly number[]): Promise<void> {
    let turn = 0;
    for await (const client of this.#listener) {
      const port = ports[turn++ % ports.length] ?? 0;
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#connections.push(client, server);
      const end = () => [client, server].forEach(close);
      client.readable.pipeTo(server.writable).then(end, end);
      server.readable.pipeTo(client.writable).then(end, end);
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#connections.forEach(close);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // The connection is closed already.
  }
}

/** Options of a backplane whose connections go to the port that `ports` has for their role. */
function byRole(ports: Record<RedisRole, number>): RedisBackplaneOptions {
  return {
    ...QUICK,
    logger: new KeptLog(),
    client: (role, options) => new Redis({ ...options, host: "127.0.0.1", port: ports[role] }),
  };
}

async function become(server: ServerProcess, ...master: [string, string]): Promise<void> {
  const admin = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
  await admin.connect();
  await admin.replicaof(...master);
  await admin.quit();
}

Deno.test("RedisBackplane loses nothing where one address leads to a master and to its replica", async () => {
  await using servers = await startBoth();
  const { master, replica } = servers;
  // The first two connections publish and subscribe for the first node, and so on.
  using address = new Alternating([replica, master, master, replica].map(({ port }) => port));
  await using stack = new AsyncDisposableStack();
  const nodes = [1, 2, 3, 4].map(() => {
    const url = `redis://127.0.0.1:${address.port}?prefix=app:`;
    return stack.use(new RedisBackplane(url, { ...QUICK, logger: new KeptLog() }));
  });
  const inboxes = await Promise.all(nodes.map(async (node) => {
    const inbox = new Inbox();
    await untilStatus(node, "open");
    await node.subscribe("news", inbox.receive).confirmed;
    return inbox;
  }));
  await Promise.all(nodes.map((node, index) => node.publish("news", bytes(`${index}`))));
  for (const inbox of inboxes) {
    await inbox.count(nodes.length);
    assertEquals(inbox.all.toSorted(), ["0", "1", "2", "3"]);
  }
});

Deno.test("RedisBackplane reports a gap when its two connections lead to servers that no longer hear each other", async () => {
  await using servers = await startBoth();
  const { master, replica } = servers;
  const ports = { publisher: master.port, subscriber: replica.port };
  const log = new KeptLog();
  await using node = new RedisBackplane("redis://news", { ...byRole(ports), logger: log });
  const inbox = new Inbox();
  await node.subscribe("news", inbox.receive).confirmed;
  await untilStatus(node, "open");
  await node.publish("news", bytes("before"));
  await inbox.count(1);

  await become(replica, "NO", "ONE");
  ports.subscriber = master.port;
  const published = Date.now();
  const reported = nextEvent(node, ({ gap }) => gap !== undefined);
  await node.publish("news", bytes("lost"));
  const { status, gap } = await reported;
  assertEquals(status, "open");
  assert(gap !== undefined && gap.since <= published && gap.until >= published);
  await node.publish("news", bytes("after"));
  await inbox.count(2);
  assertEquals(inbox.all, ["before", "after"]);
  const headline = await log.errors.next();
  assertStringIncludes(headline, "does not hear what the publishing connection publishes");
});

Deno.test("HubServer.health() is degraded while both connections answer and do not hear each other", async () => {
  await using servers = await startBoth();
  const { master, replica } = servers;
  const ports = { publisher: master.port, subscriber: replica.port };
  const backplane = new RedisBackplane("redis://news", byRole(ports));
  await using server = createHubServer({
    hubs: { "/hub": defineHub({ methods: {} }) },
    backplane,
    logger: new KeptLog(),
  });
  const seen: string[] = [];
  server.onStatus(() => {
    const { state, ready, backplane } = server.health();
    seen.push(`${state}, ${ready ? "ready" : "not ready"}, gaps: ${backplane.gaps}`);
  });
  await bounded(server.ready);
  assert((server.health().backplane.probe ?? -1) >= 0);
  assertEquals(server.health().state, "up");
  seen.length = 0;
  // Both go on answering PING.
  await become(replica, "NO", "ONE");
  await until(() => server.health().state === "degraded");
  ports.subscriber = master.port;
  await until(() => seen.at(-1) === "up, ready, gaps: 1");
  assertEquals(seen.at(0), "degraded, ready, gaps: 0");
});

Deno.test("RedisBackplane leaves a master that has become a replica", async () => {
  await using servers = await startBoth();
  const { master: old, replica: replacement } = servers;
  const ports = { publisher: old.port, subscriber: old.port };
  await using node = new RedisBackplane("redis://news", byRole(ports));
  await untilStatus(node, "open");
  const inbox = new Inbox();
  await node.subscribe("news", inbox.receive).confirmed;
  await become(replacement, "NO", "ONE");
  const events: BackplaneStatusEvent[] = [];
  node.onStatus((event) => events.push(event));
  ports.publisher = replacement.port;
  await become(old, "127.0.0.1", `${replacement.port}`);
  await until(() => events.some(({ status }) => status === "open"));
  assertStringIncludes(events[0]?.error?.message ?? "", "the server is a replica");
  await until(() => node.status === "open");
  await node.publish("news", bytes("new master"));
  assertEquals(await inbox.next(), "new master");
});

for (
  const [what, rules] of [
    ["the channels of its probes", "&app:news +@all"],
    ["to publish", "&app:* +subscribe +unsubscribe +ping"],
  ] as const
) {
  Deno.test(`RedisBackplane works without probes of the data path where its user may not use ${what}`, async () => {
    const user = `default on nopass resetchannels ~* -@all ${rules}`;
    await using server = await startRedis({ args: ["--user", ...user.split(" ")] });
    await using admin = new RedisBackplane(redisUrl(server, "app:"), {
      ...QUICK,
      logger: new KeptLog(),
    });
    await untilStatus(admin, "open");
    const log = new KeptLog();
    await using node = new RedisBackplane(redisUrl(server, "app:"), { ...QUICK, logger: log });
    const inbox = new Inbox();
    await node.subscribe("news", inbox.receive).confirmed;
    await untilStatus(node, "open");
    assertEquals(log.lines.length, 1);
    assertStringIncludes(log.lines[0] ?? "", "hubplane:probe:");
    if (what === "to publish") return;
    await node.publish("news", bytes("heard"));
    assertEquals(await inbox.next(), "heard");
    // The backplane does not tell again after a reconnect, and still reports the gap.
    const raw = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
    await raw.connect();
    const reported = nextEvent(node, ({ gap }) => gap !== undefined);
    await raw.client("KILL", "TYPE", "pubsub");
    await raw.quit();
    assertEquals((await reported).status, "open");
    assertEquals(log.warnings.all.filter((text) => text.includes("hubplane:probe:")).length, 1);
  });
}
