import type { Redis } from "ioredis";
import { DataPath } from "../driver/data_path.ts";
import { type Moment, now } from "../driver/moment.ts";
import type { ClusterPlaces } from "./cluster_places.ts";
import { isRefusal, isReply, withoutSecrets } from "./errors.ts";
import type { RedisRole, RedisSettings } from "./settings.ts";

/** Why a publishing server does not reach the others. */
const REPLICA = "the server is a replica, and what is published there does not reach its master";
const LEFT = "the server has left the cluster";

/** The parts of a backplane that a {@link RedisDataPath} uses. */
export interface RedisDataPathEvents {
  /** Publishes on a channel, with the prefix. */
  publish(channel: string, payload: Uint8Array): Promise<unknown>;
  /** Writes the queued publishes: no other command may overtake them. */
  flush(): void;
  /** The way from the publishing connection to the subscribing connection is known to work. */
  verified(): void;
  /** Both connections must end: messages may have been lost since `since`. */
  lost(error: Error, since: Moment): void;
}

/**
 * Looks whether messages get from the publishing connection to the subscribing connection and to other
 * nodes. An address can lead to a master and to its replica, a master can be replaced, and a server
 * can leave its cluster, while both connections go on answering.
 */
export class RedisDataPath {
  readonly #settings: RedisSettings;
  readonly #places: ClusterPlaces;
  readonly #events: RedisDataPathEvents;
  readonly #path: DataPath;
  /** The channel of this backplane's probes; no hub has such a channel, and no other node. */
  readonly #channel: string;
  /** The publishing client. */
  #redis: Redis | undefined;
  #clustered = false;
  /** When the publishing server was last known to reach the others. */
  #checked: Moment = now();
  #refused = false;
  #warned = false;

  constructor(settings: RedisSettings, places: ClusterPlaces, events: RedisDataPathEvents) {
    this.#settings = settings;
    this.#places = places;
    this.#events = events;
    this.#channel = `${settings.prefix}hubplane:probe:${crypto.randomUUID()}`;
    this.#path = new DataPath(settings, (payload) => this.#publish(payload), {
      verified: () => events.verified(),
      refused: (error) => this.#refusedBy(error),
      lost: (error, since) => events.lost(error, since),
    });
  }

  /** Whether messages get from one connection to the other, as far as this node may know. */
  get verified(): boolean {
    return this.#path.verified;
  }

  /** As {@link DataPath.roundTrip}; `undefined` while Redis refuses the messages. */
  get roundTrip(): number | undefined {
    return this.#refused ? undefined : this.#path.roundTrip;
  }

  /**
   * Takes the client that will publish.
   *
   * @throws {BackplaneUnavailableError} if its server does not reach the others.
   */
  async use(redis: Redis, clustered: boolean): Promise<void> {
    this.#redis = redis;
    this.#clustered = clustered;
    await this.#check(redis);
  }

  /** Prepares the subscribing connection: asks it for the channel of the probes. */
  async listen(redis: Redis): Promise<void> {
    this.#path.begin();
    this.#refused = false;
    try {
      await redis.subscribe(this.#channel);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refusedBy(withoutSecrets(error));
    }
  }

  /** Begins to probe: both connections are open. */
  start(): void {
    if (this.#refused) this.#path.skip();
    else this.#path.start();
  }

  /** Stops probing: a connection is lost. */
  stop(role: RedisRole): void {
    this.#path.stop();
    if (role === "publisher") this.#redis = undefined;
  }

  /** Takes a message on a channel that nobody has subscribed to but the driver. */
  heard(channel: string, payload: Uint8Array): void {
    if (channel === this.#channel) this.#path.heard(payload);
  }

  async #publish(payload: Uint8Array): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    const published = this.#events.publish(this.#channel, payload);
    // The publish may fail while the server is asked.
    published.catch(() => {});
    try {
      await this.#check(redis);
    } catch (error) {
      if (redis === this.#redis) this.#events.lost(withoutSecrets(error), this.#checked);
    }
    await published;
  }

  /** Returns normally if the publishing server reaches the others, or does not tell. */
  async #check(redis: Redis): Promise<void> {
    const sent = now();
    if (this.#clustered) {
      if (this.#places.left(await this.#ask(redis, "CLUSTER", "SLOTS"))) throw new Error(LEFT);
    } else {
      // Every user may send HELLO.
      const hello = await this.#ask(redis, "HELLO");
      const role = Array.isArray(hello) ? hello[hello.indexOf("role") + 1] : undefined;
      if (role === "replica" || role === "slave") throw new Error(REPLICA);
    }
    this.#checked = sent;
  }

  /** Asks Redis; resolves with `undefined` if it refuses. */
  async #ask(redis: Redis, command: string, ...args: string[]): Promise<unknown> {
    this.#events.flush();
    try {
      return await redis.call(command, ...args);
    } catch (error) {
      if (isReply(error)) return undefined;
      throw error;
    }
  }

  #refusedBy(error: Error): void {
    this.#refused = true;
    if (this.#warned) return;
    this.#warned = true;
    this.#settings.logger.warn(
      `Cannot look whether messages get through Redis at ${this.#settings.address}: it refuses the ` +
        `channels that begin with ${JSON.stringify(`${this.#settings.prefix}hubplane:probe:`)}:`,
      error,
    );
  }
}
