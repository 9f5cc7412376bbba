/** Real Redis servers that belong together, in a folder of their own. */
import { delay } from "@std/async";
import { firstAnswer, freePort, ServerProcess } from "../../kit/servers/server_process.ts";

/** Servers and their folder. */
export interface Topology extends AsyncDisposable {
  /** The folder of their files. */
  readonly folder: string;
  /** The servers, in the order they were started. */
  readonly servers: ServerProcess[];
}

/** No server yet. */
export async function openTopology(): Promise<Topology> {
  const folder = await Deno.makeTempDir({ prefix: "hubplane-" });
  const servers: ServerProcess[] = [];
  return {
    folder,
    servers,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Starts one more `redis-server` with `args`. */
export async function addServer(
  { folder, servers }: Topology,
  args: readonly string[],
): Promise<ServerProcess> {
  const server = await ServerProcess.open({
    command: "redis-server",
    args: (
      port,
    ) => [...args, "--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder],
    ready: async (port) => (await firstAnswer(port, "PING\r\n")).startsWith("+PONG"),
  });
  servers.push(server);
  return server;
}

/** Starts one node of a cluster; {@link joinCluster} makes one of several. */
export function addClusterNode(topology: Topology): Promise<ServerProcess> {
  const bus = freePort();
  return addServer(topology, [
    ...["--save", "", "--cluster-enabled", "yes", "--cluster-port", `${bus}`],
    ...["--cluster-config-file", `nodes-${bus}.conf`, "--cluster-require-full-coverage", "no"],
    ...["--cluster-node-timeout", "1000"],
  ]);
}

/** Makes a cluster of all the servers, and waits until every one says that it works. */
export async function joinCluster({ servers }: Topology): Promise<void> {
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
  await redisCli("--cluster", "create", ...nodes, "--cluster-yes");
  for (const { port } of servers) {
    await until(() => firstAnswer(port, "CLUSTER INFO\r\n"), "cluster_state:ok");
  }
}

/** Starts one more node of a cluster, a replica of one of the masters; resolves when that has sent everything. */
export async function addReplica(topology: Topology, master: ServerProcess): Promise<void> {
  const replica = await addClusterNode(topology);
  const id = (await firstAnswer(master.port, "CLUSTER MYID\r\n")).split("\r\n")[1] ?? "";
  const [one, other] = [replica, master].map(({ port }) => `127.0.0.1:${port}`);
  const role = ["--cluster-slave", "--cluster-master-id", id];
  await redisCli("--cluster", "add-node", one ?? "", other ?? "", ...role);
  await until(() => firstAnswer(replica.port, "INFO replication\r\n"), "master_link_status:up");
}

/** Makes a cluster of all servers but the first, which gives its slots to the last one before. */
export async function shrinkCluster({ servers: [first, ...others] }: Topology): Promise<void> {
  const heir = others.at(-1);
  if (first === undefined || heir === undefined) throw new Error("Cannot shrink an empty cluster");
  const [id = "", , , , , , , , ...slots] =
    (await firstAnswer(first.port, "CLUSTER NODES\r\n")).split("\n").find((line) =>
      line.includes("myself")
    )?.trim().split(" ") ?? [];
  const range = slots.join(" ").replaceAll("-", " ");
  for (const { port } of [first, ...others]) {
    await firstAnswer(port, `CLUSTER DELSLOTSRANGE ${range}\r\n`);
  }
  await firstAnswer(heir.port, `CLUSTER ADDSLOTSRANGE ${range}\r\n`);
  await until(() => firstAnswer(first.port, "CLUSTER INFO\r\n"), "cluster_slots_assigned:16384");
  await redisCli("--cluster", "del-node", `127.0.0.1:${first.port}`, id);
}

/**
 * Starts a Sentinel that watches `master` as `news`, and waits until it knows `replicas` replicas. It names
 * another master when this one has not answered for `patience` milliseconds.
 */
export async function addSentinel(
  topology: Topology,
  master: ServerProcess,
  replicas: number,
  patience: number,
): Promise<ServerProcess> {
  const file = `${topology.folder}/sentinel.conf`;
  await Deno.writeTextFile(
    file,
    [
      `sentinel monitor news 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds news ${patience}`,
      "sentinel failover-timeout news 5000",
    ].join("\n"),
  );
  const sentinel = await addServer(topology, [file, "--sentinel"]);
  await until(() => firstAnswer(sentinel.port, "INFO sentinel\r\n"), `slaves=${replicas},`);
  return sentinel;
}

async function redisCli(...args: string[]): Promise<void> {
  const { success, stdout } = await new Deno.Command("redis-cli", { args }).output();
  if (!success) throw new Error(`Cannot run redis-cli: ${new TextDecoder().decode(stdout)}`);
}

/** Asks again and again, for at most 20 seconds, until the answer includes `text`. */
async function until(ask: () => Promise<string>, text: string): Promise<void> {
  const give = performance.now() + 20_000;
  while (!(await ask()).includes(text)) {
    if (performance.now() > give) throw new Error(`Cannot see ${text} within 20 s`);
    await delay(50);
  }
}
