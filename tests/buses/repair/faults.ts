/**
 * What can happen to a bus.
 *
 * @module
 */
import { delay } from "@std/async";
import type { HubServerOptions } from "../../../mod.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import { firstAnswer, type ServerProcess } from "../../kit/servers/server_process.ts";
import { randomPrefix } from "../../kit/wait.ts";
import type { NodeProcess } from "./node_process.ts";
import { type Outcome, run } from "./trial.ts";

/** A bus that goes wrong. */
interface Scene {
  readonly server: ServerProcess;
  /** Stands between the bus and the node of the same number, if the fault needs it. */
  readonly proxies: readonly CuttingProxy[];
  readonly nodes: readonly NodeProcess[];
}

/** Something that goes wrong. */
export interface Fault {
  /** How the sentence "no message is lost when …" ends. */
  readonly name: string;
  /** Whether the gate tries it. */
  readonly quick?: true;
  readonly bus: "redis" | "nats";
  /** How the server of the bus is set up: arguments of Redis, a file of NATS. */
  readonly args?: readonly string[];
  readonly config?: string;
  readonly options?: HubServerOptions;
  /** Whether the nodes reach the server through a proxy each. */
  readonly proxied?: true;
  /** Ends when the bus works again. */
  happen(scene: Scene): Promise<void>;
}

/** How long a bus is away, and a node asleep, in milliseconds. */
const AWAY = 3000;
const SLEEP = 8000;

async function killed({ server }: Scene): Promise<void> {
  await server.stop();
  await delay(AWAY);
  await server.start();
}

async function stopped({ server }: Scene): Promise<void> {
  server.pause();
  await delay(AWAY);
  server.resume();
}

/** Redis drops the connections of all nodes, those that publish and those that subscribe. */
async function dropped({ server }: Scene): Promise<void> {
  for (const type of ["pubsub", "normal", "pubsub", "normal", "pubsub"]) {
    await firstAnswer(server.port, `CLIENT KILL TYPE ${type}\r\n`);
    await delay(AWAY / 5);
  }
}

async function cut({ proxies }: Scene): Promise<void> {
  for (const [index, proxy] of [...proxies, ...proxies].entries()) {
    // The oldest connection alone, which is the subscriber's at first; then both.
    proxy.cut(index < proxies.length ? 1 : undefined);
    await delay(AWAY / 4);
  }
}

/** The first node reads nothing while the others send more than the server keeps for a node. */
async function overrun({ nodes: [blocked, ...others] }: Scene): Promise<void> {
  await blocked?.tell({ kind: "block", duration: 1500 });
  await Promise.all(others.map((node) => node.tell({ kind: "burst", count: 240, bytes: 40_000 })));
  await delay(1000);
}

/** There is room for the large messages of {@link overrun}, at the nodes and at their members. */
const ROOM: HubServerOptions = {
  repairBufferBytes: 2 ** 26,
  maximumBufferedBytes: 2 ** 26,
};

/** What every message survives. */
export const FAULTS: readonly Fault[] = [
  { name: "Redis is killed for 3 s", quick: true, bus: "redis", happen: killed },
  { name: "Redis is stopped for 3 s", bus: "redis", happen: stopped },
  { name: "Redis drops every connection", bus: "redis", happen: dropped },
  {
    name: "a node is too slow for Redis",
    bus: "redis",
    args: ["--client-output-buffer-limit", "pubsub", "200kb", "0", "0"],
    options: ROOM,
    happen: overrun,
  },
  { name: "NATS is killed for 3 s", bus: "nats", happen: killed },
  { name: "NATS is stopped for 3 s", bus: "nats", happen: stopped },
  { name: "connections to NATS are cut", quick: true, bus: "nats", proxied: true, happen: cut },
  {
    name: "a node is too slow for NATS",
    bus: "nats",
    config: 'write_deadline: "100ms"\nmax_pending: 2000000\n',
    options: ROOM,
    happen: overrun,
  },
];

/** One node is cut off while the others go on. */
async function cutOff({ proxies: [proxy] }: Scene): Promise<void> {
  proxy?.interrupt();
  await delay(AWAY / 2);
  proxy?.restore();
}

/** One node does not run, and its connections stay open. */
async function asleep({ nodes: [sleeping] }: Scene): Promise<void> {
  sleeping?.signal("SIGSTOP");
  await delay(SLEEP);
  sleeping?.signal("SIGCONT");
}

/** What is lost where nodes keep only some twenty messages: {@link Outcome.reported} has to tell. */
export const OVERRUNS: readonly Fault[] = (["redis", "nats"] as const).map((bus) => ({
  name: `a node is cut off from ${bus}`,
  ...bus === "redis" && { quick: true as const },
  bus,
  options: { repairBufferBytes: 4096 },
  proxied: true,
  happen: cutOff,
}));

/** A node sleeps for 8 s: the others take it for dead. */
export const SLEEPS: readonly Fault[] = (["redis", "nats"] as const).map((bus) => ({
  name: `a node on ${bus} is stopped for 8 s`,
  bus,
  happen: asleep,
}));

/** How a fault is tried. */
export interface FaultSize {
  readonly nodes: number;
  /** How many messages each node sends in a second. */
  readonly rate: number;
}

/** Lets a fault happen to a server of its own. */
export async function outcomeOf(fault: Fault, { nodes, rate }: FaultSize): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await start(fault, stack));
  const proxies = Array.from(
    { length: fault.proxied ? nodes : 0 },
    () => stack.use(new CuttingProxy(server.port)),
  );
  const prefix = encodeURIComponent(randomPrefix(fault.bus === "nats" ? "" : ":"));
  const ports = fault.proxied ? proxies.map(({ port }) => port) : Array(nodes).fill(server.port);
  return await run({
    urls: ports.map((port) => `${fault.bus}://127.0.0.1:${port}?prefix=${prefix}`),
    rate,
    options: fault.options ?? {},
    fault: (nodes) => fault.happen({ server, proxies, nodes }),
  });
}

async function start(
  { bus, args = [], config = "" }: Fault,
  stack: AsyncDisposableStack,
): Promise<ServerProcess> {
  if (bus === "redis") return await startRedis({ args });
  const file = await Deno.makeTempFile({ suffix: ".conf" });
  stack.defer(() => Deno.remove(file));
  await Deno.writeTextFile(file, config);
  return await startNats({ args: ["--config", file] });
}
