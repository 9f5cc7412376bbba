/**
 * Waits for clients of a node that dies, or of no node. The waits have no timeout worth the name: they end
 * because this node finds out. The bounds are those of `docs/delivery.md`, with room for a busy machine.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { nodeChannel } from "../../../hub/bus/node_messages.ts";
import { readNodeMessage } from "../../../hub/bus/read_node_message.ts";
import type { HubServerOptions } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { Child } from "../../kit/child.ts";
import { hostWithFetch } from "../../kit/servers/hosts.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { bounded, randomPrefix } from "../../kit/wait.ts";
import { addClusterNode, joinCluster, openTopology } from "../redis/topology.ts";
import { AnsweringClient, ask, outcome, startNode } from "./asking.ts";
import { openBus } from "./open_bus.ts";

const SERVERS = {
  redis: [startRedis, redisUrl],
  nats: [startNats, natsUrl],
} as const;

const LONG: HubServerOptions = { clientResultTimeout: 2 ** 31 - 1, groupAckTimeout: 2 ** 31 - 1 };

/** A wait that has to fail with `text`. */
interface Wait {
  readonly promise: Promise<unknown>;
  readonly text: string;
}

/** Every wait fails as it should, within so many milliseconds from now. */
async function assertFail(most: number, ...waits: readonly Wait[]): Promise<void> {
  const began = performance.now();
  const texts = await bounded(Promise.all(waits.map(({ promise }) => outcome(promise))));
  const duration = performance.now() - began;
  assertEquals(texts, waits.map(({ text }) => text));
  assert(duration < most, `it took ${duration} ms`);
}

/** A node of this process. */
class AskingNode implements AsyncDisposable {
  readonly #backplane: RecordingBackplane;
  readonly #node: Awaited<ReturnType<typeof startNode>>;

  private constructor(backplane: RecordingBackplane, node: Awaited<ReturnType<typeof startNode>>) {
    this.#backplane = backplane;
    this.#node = node;
  }

  static async start(bus: string): Promise<AskingNode> {
    const backplane = new RecordingBackplane(await openBus(bus));
    backplane.heedsNodes = true;
    return new AskingNode(backplane, await startNode(backplane, hostWithFetch, LONG));
  }

  /** Asks a client; `found` says that the node of the client is known when it dies. */
  ask(id: string, found = false): Wait {
    const promise = ask(this.#node, id, "never");
    promise.catch(() => {});
    const what = found ? "disconnected" : "does not exist";
    return { promise, text: `ClientConnectionError: Connection '${id}' ${what}.` };
  }

  /** Asks a client, and resolves when this node knows the node of the client. */
  async find({ id, asked }: AnsweringClient): Promise<Wait> {
    const before = this.#knocks;
    const wait = this.ask(id, true);
    await asked.next();
    await this.#backplane.accepted.until(() => this.#knocks > before);
    return wait;
  }

  addToGroup(id: string): Wait {
    const promise = this.#node.server.hub("/hub").groups.add(id, "group");
    promise.catch(() => {});
    const text = `Cannot change the groups of connection "${id}": no node has the connection`;
    return { promise, text: `GroupAckTimeoutError: ${text}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }

  /** How often this node has knocked on the channel of another: it does when it knows who has a client. */
  get #knocks(): number {
    return this.#backplane.published.filter(({ channel, payload }) =>
      channel.startsWith(nodeChannel("")) && readNodeMessage(payload)?.kind === "knock"
    ).length;
  }
}

/** A client that never answers. */
function silentClient(url: string): Promise<AnsweringClient> {
  return AnsweringClient.connect(url, "json", () => new Promise(() => {}));
}

/** A node in another process, with a client. */
async function startOther(bus: string) {
  const module = new URL("asked_node.ts", import.meta.url).href;
  const child = Child.start("run", "--allow-all", module, "fetch", bus);
  const [url] = await child.until(/http:\S+(?=\n)/);
  const client = await silentClient(url);
  return {
    child,
    client,
    url,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

for (const [driver, [start, urlOf]] of Object.entries(SERVERS)) {
  Deno.test(`invoke() and groups.add() fail within a second when the client's node is killed (${driver})`, async () => {
    await using server = await start();
    const bus = urlOf(server, randomPrefix());
    await using asking = await AskingNode.start(bus);
    await using other = await startOther(bus);
    const { id } = other.client;
    const answer = await asking.find(other.client);
    // A stopped node acknowledges nothing; for the bus it is there until it dies.
    other.child.signal("SIGSTOP");
    const adding = asking.addToGroup(id);
    await other.child.end("SIGKILL");
    await assertFail(5000, answer, adding);
    // The channel of the connection has gone with its node.
    await assertFail(5000, asking.ask(id), asking.addToGroup(id));
  });
}

/** A bus of a server, and a node that is stopped in its tracks. */
async function stop(driver: keyof typeof SERVERS): Promise<void> {
  const [start, urlOf] = SERVERS[driver];
  await using server = await start();
  const bus = urlOf(server, randomPrefix());
  await using asking = await AskingNode.start(bus);
  await using other = await startOther(bus);
  await using another = await silentClient(other.url);
  const answer = await asking.find(other.client);
  other.child.signal("SIGSTOP");
  const waits = [answer, asking.ask(another.id), asking.addToGroup(another.id)];
  await assertFail(15_000, ...waits);
  // Else its clients could not leave.
  await other.child.end("SIGKILL");
}

/** A Redis Cluster, and a node whose process is killed. */
async function killInCluster(): Promise<void> {
  await using topology = await openTopology();
  for (let node = 0; node < 3; node++) await addClusterNode(topology);
  await joinCluster(topology);
  const bus = `cluster:${topology.servers.map(({ port }) => port)}`;
  await using asking = await AskingNode.start(bus);
  await using other = await startOther(bus);
  const { id } = other.client;
  const answer = await asking.find(other.client);
  await other.child.end("SIGKILL");
  const [nobody, adding] = [asking.ask("nobody"), asking.addToGroup("nobody")];
  await assertFail(15_000, answer, nobody, adding, asking.ask(id, true), asking.addToGroup(id));
}

/** Workers on a BroadcastChannel, one of which is ended. */
async function endWorker(): Promise<void> {
  const bus = `broadcast:${crypto.randomUUID()}`;
  await using asking = await AskingNode.start(bus);
  const worker = new Worker(new URL("asked_worker.ts", import.meta.url), { type: "module" });
  try {
    const ready = Promise.withResolvers<string>();
    worker.onmessage = ({ data }: MessageEvent<string>) => ready.resolve(data);
    worker.postMessage(bus);
    await using client = await silentClient(await bounded(ready.promise, "the worker"));
    const answer = await asking.find(client);
    worker.terminate();
    await assertFail(15_000, answer, asking.ask("nobody"), asking.addToGroup("nobody"));
  } finally {
    worker.terminate();
  }
}

Deno.test("invoke() and groups.add() fail within 7 s where nobody counts, or the client's node is stopped", async () => {
  // All at once: most of the time is spent waiting.
  await Promise.all([stop("redis"), stop("nats"), killInCluster(), endWorker()]);
});
