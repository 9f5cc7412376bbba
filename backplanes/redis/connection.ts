import type { Redis } from "ioredis";
import type { BackplaneGap } from "../backplane.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { gapSince, type Moment, now } from "../driver/moment.ts";
import { Probe } from "../driver/probe.ts";
import { sleep } from "../driver/sleep.ts";
import {
  CONNECT_TIMEOUT,
  destroyClient,
  makeClient,
  type NewClient,
  wasReplaced,
} from "./client.ts";
import type { ClusterPlaces } from "./cluster_places.ts";
import { isAnswer, isIncurable, isRefusal, reasonOf, withoutSecrets } from "./errors.ts";
import type { RedisRole, RedisSettings } from "./settings.ts";

/** The pauses between attempts to connect, in milliseconds: each twice the one before, less up to a half. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 1000;
/** How long a client may take to find its server and reach it, in milliseconds; it has limits of its own. */
const REACH_TIMEOUT = 30_000;

/** How long before they tell of a new master Sentinels may have named it to clients, in milliseconds. */
const FAILOVER_TIME = 5000;

/** The events of a {@link RedisConnection}. */
export interface RedisConnectionEvents {
  /** Redis answers on `redis`. The connection is used from when this resolves, and lost if it rejects. */
  accept?(redis: Redis, clustered: boolean): Promise<void>;
  /** The connection is used. It is open when this resolves, and lost if it rejects. */
  prepare?(redis: Redis): Promise<void>;
  /** A PING is about to be sent; it must not overtake queued commands. */
  sending?(): void;
  /** The connection is open. */
  opened(): void;
  /** The connection is lost, or an attempt to connect failed. */
  lost(error: Error, incurable: boolean): void;
}

/**
 * Keeps one connection to Redis until closed: connects, probes, notices its loss and connects again.
 * Each connection has a client of its own, so no command of a lost connection reaches the next one.
 */
export class RedisConnection {
  readonly #role: RedisRole;
  readonly #settings: RedisSettings;
  readonly #places: ClusterPlaces;
  readonly #events: RedisConnectionEvents;
  readonly #probe: Probe;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #redis: Redis | undefined;
  #clustered = false;
  #open = false;
  /** Since when messages may be missing; set until the gap is reported. */
  #lostSince: Moment | undefined;
  /** Ends the present connection. */
  #loss: AbortController | undefined;

  /** The two connections of a backplane share `places`. */
  constructor(
    role: RedisRole,
    settings: RedisSettings,
    places: ClusterPlaces,
    events: RedisConnectionEvents,
  ) {
    this.#role = role;
    this.#settings = settings;
    this.#places = places;
    this.#events = events;
    this.#probe = new Probe(settings);
    this.#running = this.#run();
  }

  /** The client that Redis answers on; `undefined` while it is away. */
  get redis(): Redis | undefined {
    return this.#redis;
  }

  /** Whether {@link redis} is one node of a cluster. */
  get clustered(): boolean {
    return this.#clustered;
  }

  /** Whether the connection is made and prepared. */
  get open(): boolean {
    return this.#open;
  }

  /** As {@link Probe.roundTrip}. */
  get roundTrip(): number | undefined {
    return this.#probe.roundTrip;
  }

  /**
   * Asks for channels, or gives them up. Any other error than a refusal ends the connection, and with
   * it every subscription: whether Redis has done what it was asked is unknown.
   *
   * @throws {BackplaneUnavailableError} if the connection is lost; any other error is a refusal.
   */
  async command(verb: "subscribe" | "unsubscribe", channels: readonly string[]): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) throw new BackplaneUnavailableError("the connection was lost");
    const sent = now();
    try {
      await redis[verb](...channels);
    } catch (error) {
      const cause = withoutSecrets(error);
      if (isRefusal(error)) throw cause;
      if (redis === this.#redis) this.fail(error);
      throw new BackplaneUnavailableError("the connection was lost", { cause });
    }
    this.#probe.answered(sent);
  }

  /** Ends the present connection; messages may be missing since `since`, or since the last probe. */
  fail(error: unknown, since?: Moment): void {
    if (this.#redis !== undefined) this.#lostSince ??= since;
    this.#loss?.abort(error);
  }

  /** Returns the gap that was not reported yet, if a connection was lost. */
  takeGap(): BackplaneGap | undefined {
    const since = this.#lostSince;
    this.#lostSince = undefined;
    return since && gapSince(since);
  }

  /** Ends the connection for good; resolves when no socket and no timer is left. */
  async close(): Promise<void> {
    this.#redis = undefined;
    this.#open = false;
    this.#closing.abort(new Error("closed"));
    await this.#running;
  }

  async #run(): Promise<void> {
    // The caller of the constructor must have the object before the first event.
    await Promise.resolve();
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      const begun = performance.now();
      await this.#connect();
      if (performance.now() - begun > LONGEST_PAUSE) failures = 0;
      const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** failures);
      await sleep(longest * (1 - Math.random() / 2), signal);
    }
  }

  /** Connects once and stays until the connection is lost. */
  async #connect(): Promise<void> {
    const loss = this.#loss = new AbortController();
    const lose = (error: unknown) => loss.abort(error);
    const { signal } = this.#closing;
    signal.addEventListener("abort", () => lose(signal.reason), { signal: loss.signal });
    const lost = new Promise<void>((resolve) => {
      loss.signal.addEventListener("abort", () => resolve());
    });
    let client: NewClient | undefined;
    try {
      client = await makeClient(this.#role, this.#settings, this.#places, signal);
      this.#clustered = client.clustered;
      if (!loss.signal.aborted) this.#use(client.redis, loss).catch(lose);
      await lost;
    } catch (error) {
      lose(error);
    }
    if (client !== undefined && wasReplaced(client.redis)) {
      this.#lostSince ??= this.#sinceFailover();
    }
    this.#lose(loss.signal.reason);
    if (client !== undefined) await destroyClient(client);
  }

  async #use(redis: Redis, loss: AbortController): Promise<void> {
    const lose = (error: Error) => loss.abort(error);
    // This listener stays for good: ioredis prints an error that has no listener.
    redis.on("error", lose);
    redis.once("end", () => lose(new Error("the connection was closed")));
    await this.#handshake(redis, loss);
    if (loss.signal.aborted) return;
    this.#redis = redis;
    const probe = async () => {
      this.#events.sending?.();
      try {
        await ping(redis);
      } catch (error) {
        loss.abort(error);
        throw error;
      }
    };
    this.#probe.start(probe, lose);
    await this.#events.prepare?.(redis);
    if (loss.signal.aborted) return;
    this.#open = true;
    this.#events.opened();
  }

  /** Resolves when Redis has answered a PING: only then is the password known to be right. */
  async #handshake(redis: Redis, loss: AbortController): Promise<void> {
    const limit = (timeout: number) =>
      setTimeout(() => loss.abort(new Error(`no answer within ${timeout} ms`)), timeout);
    let timer = limit(REACH_TIMEOUT);
    const connected = () => {
      clearTimeout(timer);
      if (!loss.signal.aborted) timer = limit(CONNECT_TIMEOUT);
    };
    loss.signal.addEventListener("abort", () => clearTimeout(timer));
    if (redis.status === "connect" || redis.status === "ready") connected();
    else redis.once("connect", connected);
    // The `error` event gives a better reason than this rejection.
    if (redis.status === "wait") redis.connect().catch(() => {});
    if (redis.status !== "ready") {
      await new Promise<void>((resolve) => redis.once("ready", resolve));
    }
    const sent = now();
    await ping(redis);
    await this.#events.accept?.(redis, this.#clustered);
    clearTimeout(timer);
    this.#probe.answered(sent);
  }

  /** Nodes that connected before the old master was left may have used the new master for a while. */
  #sinceFailover(): Moment | undefined {
    const since = this.#probe.since;
    return since &&
      { steady: since.steady - FAILOVER_TIME, epoch: since.epoch - FAILOVER_TIME };
  }

  #lose(error: unknown): void {
    this.#probe.stop();
    // A connection that answered may have had subscriptions, even if it was never open.
    if (this.#redis !== undefined) this.#lostSince ??= this.#probe.since;
    this.#redis = undefined;
    this.#open = false;
    if (this.#closing.signal.aborted) return;
    const incurable = isIncurable(error);
    this.#events.lost(this.#described(withoutSecrets(error), incurable), incurable);
  }

  #described(cause: Error, incurable: boolean): Error {
    const where = `Redis at ${this.#settings.address}: ${reasonOf(cause)}`;
    return incurable
      ? new BackplaneError(`Cannot use ${where}`, { cause })
      : new BackplaneUnavailableError(`Cannot reach ${where}`, { cause });
  }
}

/** Resolves when Redis has answered, also with an error that leaves the connection in use. */
async function ping(redis: Redis): Promise<void> {
  await redis.ping().catch((error: unknown) => {
    if (!isAnswer(error)) throw error;
  });
}
