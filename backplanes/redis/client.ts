import { type Cluster, Redis } from "ioredis";
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
  // It would let a PING overtake publishes that have been sent: answers come in the order of commands.
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
} as const;

/** How long a socket may take to close, in milliseconds: data on its way is not waited for. */
const DISCONNECT_TIMEOUT = 1;

const OPTIONS = {
  ...REQUIRED,
  connectTimeout: CONNECT_TIMEOUT,
  disableClientInfo: true,
  disconnectTimeout: DISCONNECT_TIMEOUT,
  lazyConnect: true,
  sentinelCommandTimeout: CONNECT_TIMEOUT,
  sentinelRetryStrategy: () => null,
} as const;

/** A client that has not yet connected. */
export interface NewClient {
  readonly redis: Redis;
  /** Whether it serves one node of a cluster, which counts only its own subscribers. */
  readonly clustered: boolean;
}

/**
 * Makes the client for one connection; rejects when `signal` aborts.
 *
 * @throws {TypeError} if the factory throws, or did not hand on the options it was given.
 */
export async function makeClient(
  role: RedisRole,
  settings: RedisSettings,
  signal: AbortSignal,
): Promise<NewClient> {
  const made = await newClient(role, settings, signal);
  const { redis } = made;
  // A command that fails with the connection, such as AUTH, disconnects it once more after its end, and
  // ioredis leaves a timer behind when the socket is closed already.
  redis.once("end", () => redis.disconnect = () => {});
  return made;
}

async function newClient(
  role: RedisRole,
  settings: RedisSettings,
  signal: AbortSignal,
): Promise<NewClient> {
  const options: RedisClientOptions = { ...OPTIONS, ...settings.connection };
  if (settings.client === undefined) {
    // PING tells as much as ioredis's own check, which needs the permission for INFO.
    return { redis: new Redis({ ...options, enableReadyCheck: false }), clustered: false };
  }
  const client = callFactory(settings.client, role, options);
  if (isCluster(client)) return { redis: await nodeOf(client, options, signal), clustered: true };
  for (const [name, value] of Object.entries(REQUIRED)) {
    if (client.options[name as keyof typeof REQUIRED] === value) continue;
    await destroyClient(client);
    throw new TypeError(`Cannot use client: it was made with another ${name} than it was given`);
  }
  return { redis: client, clustered: false };
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
 * A client for one node of the cluster. Every node hands every message on to all others, and one
 * connection keeps order and tells of its loss, where a cluster client chooses a node a command,
 * repeats what failed and replaces a lost subscriber in silence.
 */
async function nodeOf(
  cluster: Cluster,
  options: RedisClientOptions,
  signal: AbortSignal,
): Promise<Redis> {
  try {
    await whenReady(cluster, signal);
    const nodes = cluster.nodes("master");
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    if (node === undefined) throw new Error("the cluster has no nodes");
    const { tls = node.options.tls } = options;
    return node.duplicate({ ...OPTIONS, readOnly: false, ...tls && { tls } });
  } finally {
    const ended = new Promise((resolve) => cluster.once("end", resolve));
    const connected = cluster.nodes().length > 0;
    cluster.disconnect();
    // Without nodes it has nothing to close and does not say that it ended.
    if (connected) await ended;
    // A node that did not let it in leaves a timer behind, as above.
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
  // Stays for good: an error without a listener would be printed.
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

/** Ends a client without waiting for a bus that may hang; resolves when nothing of it is left. */
export async function destroyClient(client: Redis): Promise<void> {
  if (client.status !== "end") {
    const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
    client.disconnect();
    // There is no stream before it connects, though its type says so.
    (client.stream as Redis["stream"] | undefined)?.destroy();
    await ended;
  }
  // Where the socket closed by itself, disconnecting leaves a timer of as long.
  await new Promise((resolve) => setTimeout(resolve, DISCONNECT_TIMEOUT));
}
