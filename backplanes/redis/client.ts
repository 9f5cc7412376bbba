import { type Cluster, Redis } from "ioredis";
import { sleep } from "../driver/sleep.ts";
import { Askers } from "./askers.ts";
import type { ClusterPlaces } from "./cluster_places.ts";
import type { RedisClient, RedisClientOptions, RedisRole, RedisSettings } from "./settings.ts";

/** How long one attempt may take until Redis has answered, in milliseconds. */
export const CONNECT_TIMEOUT = 3000;

/**
 * Options that every client must have. Without them ioredis queues, repeats and subscribes again by
 * itself, and so loses or doubles messages in silence. A client serves one connection and is thrown
 * away with it.
 */
const REQUIRED = {
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  // Auto-pipelining would let a PING overtake publishes, and answers come in the order of commands.
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
} as const;

/** How long a socket may take to close, in milliseconds: data on its way is not waited for. */
const DISCONNECT_TIMEOUT = 1;

/** How long a client may take to end, in milliseconds, until it is left to itself. */
const END_TIMEOUT = 5000;

/** The pause before a connection to a Sentinel that tells of failovers is made again, in milliseconds. */
const SENTINEL_PAUSE = 1000;

const OPTIONS = {
  ...REQUIRED,
  connectTimeout: CONNECT_TIMEOUT,
  disableClientInfo: true,
  disconnectTimeout: DISCONNECT_TIMEOUT,
  failoverDetector: true,
  lazyConnect: true,
  sentinelCommandTimeout: CONNECT_TIMEOUT,
  sentinelReconnectStrategy: () => SENTINEL_PAUSE,
  sentinelRetryStrategy: () => null,
} as const;

/** The members of a client of a Sentinel that ioredis keeps private. */
interface SentinelClient {
  readonly connector?: {
    /** Connections to the Sentinels, which tell when another server becomes the master. */
    readonly failoverDetector?: {
      readonly sentinels: readonly { readonly client: Redis }[];
      /** Whether the connections were ended. */
      readonly isDisconnected: boolean;
      cleanup(): void;
    } | null;
  };
}

/** A client that has not yet connected. */
export interface NewClient {
  readonly redis: Redis;
  /** Whether the client serves one node of a cluster, which counts only its own subscribers. */
  readonly clustered: boolean;
  readonly askers: Askers;
}

/**
 * Makes the client for one connection; rejects when `signal` aborts.
 *
 * @throws {TypeError} if the factory throws, or does not pass on the given options.
 */
export async function makeClient(
  role: RedisRole,
  settings: RedisSettings,
  places: ClusterPlaces,
  signal: AbortSignal,
): Promise<NewClient> {
  const made = await newClient(role, settings, places, signal);
  const { redis } = made;
  redis.once("connect", () => {
    for (const { client } of failoverDetectorOf(redis)?.sentinels ?? []) {
      // ioredis prints an error that has no listener.
      client.on("error", () => {});
    }
  });
  // A command that fails with the connection, such as AUTH, disconnects the ended client once more, and
  // ioredis then leaves a timer behind.
  redis.once("end", () => redis.disconnect = () => {});
  return made;
}

async function newClient(
  role: RedisRole,
  settings: RedisSettings,
  places: ClusterPlaces,
  signal: AbortSignal,
): Promise<NewClient> {
  const options: RedisClientOptions = { ...OPTIONS, ...settings.connection };
  if (settings.client === undefined) {
    // PING tells as much as ioredis's own check, which needs the permission for INFO.
    const redis = new Redis({ ...options, enableReadyCheck: false });
    return { redis, clustered: false, askers: new Askers() };
  }
  const client = callFactory(settings.client, role, options);
  if (isCluster(client)) {
    const choose = (masters: readonly Redis[]) => places.choose(role, masters);
    const redis = await nodeOf(client, options, choose, signal);
    return { redis, clustered: true, askers: new Askers() };
  }
  const askers = new Askers();
  askers.ofClient(client);
  for (const [name, value] of Object.entries(REQUIRED)) {
    if (client.options[name as keyof typeof REQUIRED] === value) continue;
    await destroyClient({ redis: client, askers });
    throw new TypeError(`Cannot use client: its ${name} is not that of the given options`);
  }
  return { redis: client, clustered: false, askers };
}

function callFactory(
  make: NonNullable<RedisSettings["client"]>,
  role: RedisRole,
  options: RedisClientOptions,
): Redis | Cluster {
  try {
    return make(role, options) as RedisClient as Redis | Cluster;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Cannot use client: its factory failed: ${why}`, { cause });
  }
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/**
 * A client for one node of the cluster. Every node passes every message on to all others. One
 * connection keeps the order and reports its loss; a cluster client would choose a node for each
 * command, repeat failed commands and replace a lost subscriber in silence.
 */
async function nodeOf(
  cluster: Cluster,
  options: RedisClientOptions,
  choose: (masters: readonly Redis[]) => Redis | undefined,
  signal: AbortSignal,
): Promise<Redis> {
  const askers = new Askers();
  askers.ofCluster(cluster);
  try {
    await whenReady(cluster, signal);
    const node = choose(cluster.nodes("master"));
    if (node === undefined) throw new Error("the cluster has no nodes");
    const { tls = node.options.tls } = options;
    const client = node.duplicate({ ...OPTIONS, readOnly: false, ...tls && { tls } });
    askers.release(client);
    return client;
  } finally {
    const ended = new Promise<void>((resolve) => cluster.once("end", resolve));
    const connected = cluster.nodes().length > 0;
    cluster.disconnect();
    // A cluster without nodes has nothing to close and emits no `end`.
    if (connected) await bounded(ended);
    await askers.end(endClient);
    // A node that refused the client leaves a timer behind, as above.
    await new Promise((resolve) => setTimeout(resolve, DISCONNECT_TIMEOUT));
  }
}

function whenReady(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The error of a node says more than the error that the cluster makes of it.
  let reason: Error | undefined;
  cluster.on("node error", (error: Error) => {
    if (error.message !== "Connection is closed.") reason = error;
  });
  const fail = (error: Error) => reject(reason ?? error);
  const timer = setTimeout(
    () => fail(new Error(`no answer within ${CONNECT_TIMEOUT} ms`)),
    CONNECT_TIMEOUT,
  );
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  // This listener stays for good: ioredis prints an error that has no listener.
  cluster.on("error", () => fail(new Error("no node of the cluster answers")));
  cluster.once("end", () => fail(new Error("the cluster closed the connection")));
  cluster.once("ready", resolve);
  if (signal.aborted) abort();
  if (cluster.status === "ready") resolve();
  if (cluster.status === "wait") cluster.connect().catch(fail);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}

/** Ends a client without waiting for the bus; resolves when its sockets and timers are gone. */
export async function destroyClient(
  { redis, askers }: Pick<NewClient, "redis" | "askers">,
): Promise<void> {
  await Promise.all([endClient(redis), askers.end(endClient)]);
}

async function endClient(client: Redis): Promise<void> {
  if (client.status !== "end") {
    const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
    client.disconnect();
    // A client that has not connected has no stream, although the type says so.
    (client.stream as Redis["stream"] | undefined)?.destroy();
    await bounded(ended);
  }
  // Only `disconnect` ends these connections, so they outlive a client whose socket closed by itself.
  const detector = failoverDetectorOf(client);
  if (detector?.isDisconnected === false) detector.cleanup();
  // If the socket closed by itself, `disconnect` leaves a timer of this length.
  await new Promise((resolve) => setTimeout(resolve, DISCONNECT_TIMEOUT));
}

/** Whether the client has left its server because Sentinels named another master. */
export function wasReplaced(client: Redis): boolean {
  return failoverDetectorOf(client)?.isDisconnected === true;
}

function failoverDetectorOf(client: Redis) {
  return (client as unknown as SentinelClient).connector?.failoverDetector;
}

async function bounded(ended: Promise<void>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([ended, sleep(END_TIMEOUT, timer.signal)]);
  timer.abort();
}
