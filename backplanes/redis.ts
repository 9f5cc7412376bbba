/**
 * The Redis driver: one channel of Redis pub/sub for each channel, through npm `ioredis`.
 *
 * It keeps two connections, one that publishes and one that subscribes, and uses only `PUBLISH`,
 * `SUBSCRIBE`, `UNSUBSCRIBE`, `PING` and `HELLO` on them. A user of Redis's ACL needs all but the last,
 * which every user may send, and the channels of the prefix, such as `ACL SETUSER ann on >secret
 * resetchannels &app:* +publish +subscribe +unsubscribe +ping`.
 *
 * **Permissions**: `--allow-net` for Redis, and `--allow-env` or `--ignore-env`, because ioredis looks
 * through the environment when it is loaded.
 *
 * ```ts ignore
 * import { RedisBackplane } from "@hubplane/hubplane/redis";
 *
 * await using backplane = new RedisBackplane("redis://127.0.0.1:6379?prefix=app:");
 * const subscription = backplane.subscribe("news", (payload) => {
 *   // new TextDecoder().decode(payload)
 * });
 * await subscription.confirmed;
 * await backplane.publish("news", new TextEncoder().encode("hello"));
 * ```
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
import { checkChannelName } from "./driver/channel_name.ts";
import { BackplaneClosedError } from "./errors.ts";
import { ClusterPlaces } from "./redis/cluster_places.ts";
import { RedisConnection } from "./redis/connection.ts";
import { RedisDataPath } from "./redis/data_path.ts";
import { RedisPublisher } from "./redis/publisher.ts";
import {
  type RedisBackplaneOptions,
  type RedisSettings,
  resolveRedisSettings,
} from "./redis/settings.ts";
import { StatusSource } from "./driver/status.ts";
import { ChannelSubscriptions } from "./driver/subscriptions.ts";

export type {
  RedisBackplaneOptions,
  RedisClient,
  RedisClientOptions,
  RedisRole,
  RedisTlsOptions,
} from "./redis/settings.ts";

/**
 * A backplane over Redis pub/sub: one server, Sentinel or Cluster.
 *
 * - **Own messages**: Redis hands a node its own messages back.
 * - **Reconnecting**: after 50 ms, then after pauses that double up to 1 s, each less up to a half at
 *   random. A first connection that fails for its password, permission or certificate is not tried again.
 * - **Probes**: both connections are probed with `PING`. A bus that hangs is noticed within
 *   `probeInterval + probeTimeout`, and its sockets are destroyed. Any error but one that says that
 *   Redis cannot serve, or does not know the user, is an answer.
 * - **Data path**: at the start and with each fifth probe a message is published on a channel of the
 *   backplane's own and must come back within twice `probeTimeout`, and the server must be a master.
 *   Otherwise both connections are lost, and the gap begins at the last message that came back.
 * - **Slow subscribers**: Redis drops a subscriber that does not keep up (`client-output-buffer-limit
 *   pubsub`); that is reported as a gap, like every loss of the connection.
 * - **Cluster**: each connection is to one master, chosen at random, and the two differ where they can;
 *   `publish` resolves with `undefined`, because a node counts only its own subscribers. Single messages
 *   lost between the nodes of a cluster are not reported. A node that leaves the cluster is left.
 * - **Sentinel**: the connections leave a master when Sentinels name another one, with a gap.
 */
export class RedisBackplane implements Backplane {
  readonly #settings: RedisSettings;
  readonly #where: string;
  readonly #path: RedisDataPath;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #publisher: RedisPublisher;
  readonly #publishing: RedisConnection;
  readonly #subscribing: RedisConnection;
  #wasOpen = false;
  #closed: BackplaneClosedError | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Begins to connect to `url`: `redis://[user[:password]@]host[:port][?prefix=…]`, or `rediss://` for
   * TLS. User and password are percent-encoded; a database number in the path is accepted and has no
   * meaning, because pub/sub knows no databases.
   *
   * @throws {TypeError} if the URL or the prefix is malformed; the text never has the password.
   * @throws {RangeError} if an option is out of its range.
   */
  constructor(url: string | URL, options?: RedisBackplaneOptions) {
    const settings = resolveRedisSettings(url, options);
    this.#settings = settings;
    this.#where = `Redis at ${settings.address}`;
    this.#status = new StatusSource("connecting", settings.logger, this.#where);
    this.#publisher = new RedisPublisher(settings.publishTimeout);
    const fullName = (channel: string) => settings.prefix + channel;
    this.#subscriptions = new ChannelSubscriptions({
      subscribe: (channels) => this.#subscribing.command("subscribe", channels.map(fullName)),
      unsubscribe: (channels) => this.#subscribing.command("unsubscribe", channels.map(fullName)),
      fullName,
      missed: (gap) => this.#changed(undefined, gap),
    }, settings.logger);
    const flush = () => this.#publisher.flush();
    const places = new ClusterPlaces();
    this.#path = new RedisDataPath(settings, places, {
      publish: (channel, payload) => this.#publish(channel, payload),
      flush,
      verified: () => this.#changed(),
      lost: (error, since) => {
        this.#subscribing.fail(error, since);
        this.#publishing.fail(error);
      },
    });
    this.#publishing = new RedisConnection("publisher", settings, places, {
      accept: (redis, clustered) => this.#path.use(redis, clustered),
      sending: flush,
      opened: () => this.#opened(),
      lost: (error, incurable) => {
        this.#path.stop("publisher");
        this.#lost(error, incurable);
      },
    });
    this.#subscribing = new RedisConnection("subscriber", settings, places, {
      prepare: async (redis) => {
        redis.on("messageBuffer", this.#deliver);
        await Promise.all([this.#path.listen(redis), this.#subscriptions.connected()]);
      },
      opened: () => this.#opened(),
      lost: (error, incurable) => {
        this.#path.stop("subscriber");
        this.#subscriptions.disconnected();
        this.#lost(error, incurable);
      },
    });
  }

  /** The status of both connections to Redis; `open` if both are open. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /** As {@link Backplane.probe}: of the data path, or of `PING` where Redis refuses such messages. */
  get probe(): number | undefined {
    return this.#path.roundTrip ?? this.#subscribing.roundTrip;
  }

  /**
   * As {@link Backplane.publish}; resolves with the number of subscribers reached, or with `undefined`
   * in a Cluster. The prefix does not count as part of the channel name.
   *
   * @throws {RangeError} also if the payload is over 512 MiB.
   * @throws {BackplaneUnavailableError} also while publishes of 128 MiB, each counted with 1 KiB beside
   * its bytes, wait for their answers.
   * @throws {BackplaneError} if Redis forbids it.
   */
  publish(channel: string, payload: Uint8Array): Promise<number | undefined> {
    try {
      checkChannelName(channel);
    } catch (error) {
      return Promise.reject(error);
    }
    const count = this.#publish(this.#settings.prefix + channel, payload);
    return this.#publishing.clustered ? count.then(() => undefined) : count;
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return this.#subscriptions.subscribe(channel, handler);
  }

  /** As {@link Backplane.onStatus}. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  /**
   * As {@link Backplane.close}; resolves when no socket and no timer is left. A Sentinel or a Cluster
   * that hangs while it is asked where to connect may take up to 3 s to be given up, and ioredis
   * keeps a timer of 2 s for each Sentinel that refused it.
   */
  close(): Promise<void> {
    return this.#end(new BackplaneClosedError("Cannot use backplane: it is closed"));
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #deliver = (channel: Buffer, payload: Buffer): void => {
    // A Buffer's `slice` is not that of a Uint8Array.
    const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    const fullName = channel.toString();
    const name = fullName.slice(this.#settings.prefix.length);
    if (!this.#subscriptions.dispatch(name, bytes)) this.#path.heard(fullName, bytes);
  };

  #publish(fullName: string, payload: Uint8Array): Promise<number> {
    const { redis } = this.#publishing;
    if (redis !== undefined) return this.#publisher.publish(redis, fullName, payload);
    const text = `Cannot reach ${this.#where}: it is not connected`;
    return Promise.reject(this.#closed ?? this.#status.away(text));
  }

  /** A connection is open. Messages must get from one connection to the other before the backplane is. */
  #opened(): void {
    this.#changed();
    if (this.#publishing.open && this.#subscribing.open) this.#path.start();
  }

  #lost(error: Error, incurable: boolean): void {
    if (!incurable || this.#wasOpen) return this.#changed(error);
    this.#end(new BackplaneClosedError(error.message, { cause: error }), error);
  }

  /** Emits the status of the backplane, if the status or the reason is new, or if there is a gap. */
  #changed(error?: Error, missed?: BackplaneGap): void {
    const open = this.#publishing.open && this.#subscribing.open && this.#path.verified;
    this.#wasOpen ||= open;
    const status = open ? "open" : this.#wasOpen ? "reconnecting" : "connecting";
    const gap = missed ?? (open ? this.#subscribing.takeGap() : undefined);
    const known = status === this.#status.status &&
      (error === undefined || error.message === this.#status.error?.message);
    if (known && gap === undefined) return;
    this.#status.emit({ status, ...error && { error }, ...gap && { gap } });
  }

  #end(closed: BackplaneClosedError, error?: Error): Promise<void> {
    if (this.#ended !== undefined) return this.#ended;
    this.#closed = closed;
    // Messages of this turn are still sent, although their publishes reject.
    this.#publisher.flush();
    this.#path.stop("publisher");
    // The connections end first, so that no listener or handler can send through them.
    const ended = Promise.all([this.#publishing.close(), this.#subscribing.close()]);
    this.#ended = ended.then(() => {});
    this.#publisher.close(closed);
    this.#subscriptions.close(closed);
    this.#status.emit({ status: "closed", ...error && { error } });
    return this.#ended;
  }
}
