/**
 * Core NATS as a backplane, through npm `nats`.
 *
 * ```ts ignore
 * import { NatsBackplane } from "@hubplane/hubplane/nats";
 *
 * await using backplane = new NatsBackplane("nats://127.0.0.1:4222?prefix=acme.chat");
 * const subscription = backplane.subscribe("greetings", (payload) => {
 *   console.log(new TextDecoder().decode(payload));
 * });
 * await subscription.confirmed;
 * ```
 *
 * - **Subjects**: a channel `room:7` under the prefix `acme.chat` is the subject `acme.chat.room:7`;
 *   `nats sub 'acme.chat.>'` shows all of an application, and a NATS permission can name the same.
 *   A channel name with anything but letters, digits and `_:@/+-` is `=` followed by the base64url of
 *   its UTF-8 bytes, so it is one token, never a wildcard, and at most ⌈4n/3⌉ + 1 bytes long. A prefix
 *   that is not such tokens joined by dots, the first beginning with a letter or digit, is encoded
 *   the same way.
 * - **Accepted** means that the server answered a PING sent after the message. A message that was
 *   rejected because the server hung may still arrive, once, and after later ones.
 * - **Counts**: NATS cannot tell how many subscribers a message reached, so `publish` resolves with
 *   `undefined`. A `counted` message that nobody was subscribed to resolves with 0. That needs the
 *   permission to subscribe `_INBOX.>`; without it the result stays `undefined`.
 * - **Gaps** begin when the last answered PING was sent: at most `probeInterval` before the loss.
 * - **Limits**: a channel over the server's limit of subscriptions is refused. Any other error without
 *   a cause ends the connection, and a gap is reported.
 * - **Permissions**: a publish that the server does not permit rejects with `BackplaneError`, and so
 *   does `confirmed`. When the permission for a confirmed channel is taken away, a new connection is
 *   made, without that channel until it is permitted again.
 * - **Clusters**: all this holds on one server. No client of core NATS sees what gets lost
 *   *between* the servers of a cluster, and a new subscription reaches all of them only after a moment.
 *
 * @module
 */
import type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
import { checkChannelName } from "./driver/channel_name.ts";
import { BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "./errors.ts";
import { type NatsAddress, type NatsServer, readNatsAddress } from "./nats/address.ts";
import { NatsConnection } from "./nats/connection.ts";
import { isIncurable, reasonOf } from "./nats/errors.ts";
import type { NatsBackplaneOptions } from "./nats/options.ts";
import { NatsServers } from "./nats/servers.ts";
import { subjectOf } from "./nats/subject.ts";
import { type BackplaneOptions, resolveBackplaneOptions } from "./driver/options.ts";
import { gapSince, joinGaps, type Moment, now } from "./driver/moment.ts";
import { Probe } from "./driver/probe.ts";
import { StatusSource } from "./driver/status.ts";
import { ChannelSubscriptions } from "./driver/subscriptions.ts";

export type { NatsBackplaneOptions, NatsTlsOptions } from "./nats/options.ts";

/** Core NATS as a backplane. The server does not send a node its own messages back. */
export class NatsBackplane implements Backplane {
  readonly #address: NatsAddress;
  readonly #options: Required<BackplaneOptions>;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #probe: Probe;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #connection: NatsConnection | undefined;
  #closed: BackplaneClosedError | undefined;
  #since: Moment | undefined;
  #refusedGap: BackplaneGap | undefined;

  /**
   * Begins to connect to `url`: `nats://[user:password@|token@]host[:port][,host[:port]…][?prefix=…]`.
   * The port is 4222 by default; user, password, token and prefix are percent-encoded. With
   * `nats://` TLS is used where the server offers it, with `tls://` always.
   *
   * @throws {TypeError} if the URL or a server is malformed, or options contradict each other; the
   * text never shows a part of the URL.
   * @throws {RangeError} if a duration is out of its range or the prefix too long.
   */
  constructor(url: string | URL, options: NatsBackplaneOptions = {}) {
    this.#address = readNatsAddress(url, options);
    this.#options = resolveBackplaneOptions(options);
    this.#status = new StatusSource("connecting", this.#options.logger, "NATS");
    this.#probe = new Probe(this.#options);
    this.#subscriptions = new ChannelSubscriptions({
      subscribe: (channels) => this.#current().subscribe(channels),
      unsubscribe: (channels) => this.#current().unsubscribe(channels),
      fullName: (channel) => subjectOf(this.#address.prefix, channel),
      missed: (gap) => this.#refusalEnded(gap),
    }, this.#options.logger);
    this.#running = this.#run();
  }

  /** Where the connection to the bus stands. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /** As {@link Backplane.probe}: of the last PING. */
  get probe(): number | undefined {
    return this.#probe.roundTrip;
  }

  /**
   * As {@link Backplane.publish}; publishes on one channel that leave together share their promise.
   *
   * @throws {BackplaneUnavailableError} also when publishes of 128 MiB, each counted with 1 KiB beside
   * its bytes, wait to be accepted.
   * @throws {BackplaneError} if the server does not permit it.
   */
  publish(channel: string, payload: Uint8Array, counted = false): Promise<number | undefined> {
    try {
      checkChannelName(channel);
      const connection = this.#current();
      const limit = connection.maximumPayloadBytes;
      if (payload.byteLength > limit) {
        throw new RangeError(
          `Cannot publish: ${payload.byteLength} bytes are more than the ${limit} that NATS takes`,
        );
      }
      return connection.publish(channel, payload, counted);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return this.#subscriptions.subscribe(channel, handler);
  }

  /** As {@link Backplane.onStatus}. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  /** As {@link Backplane.close}; a publish that is not yet accepted rejects. */
  async close(): Promise<void> {
    this.#close();
    await this.#running;
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Connects to one server after another until the backplane is closed. */
  async #run(): Promise<void> {
    const servers = new NatsServers(this.#address.servers);
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const server = servers.next();
      try {
        await this.#serve(server, () => servers.opened());
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(server, error);
      }
      await servers.pause(signal);
    }
  }

  /** Serves one connection, from connecting to its end. */
  async #serve(server: NatsServer, opened: () => void): Promise<never> {
    const { promise: ended, resolve: end } = Promise.withResolvers<Error>();
    const connection = await NatsConnection.open(server, {
      ...this.#address,
      publishTimeout: this.#options.publishTimeout,
      signal: this.#ending.signal,
    }, {
      received: (channel, payload) => this.#subscriptions.dispatch(channel, payload),
      lost: (error) => {
        this.#lost(error);
        end(error);
      },
    });
    this.#connection = connection;
    try {
      this.#ending.signal.throwIfAborted();
      await this.#open(connection);
      opened();
      throw await ended;
    } finally {
      await connection.close(new BackplaneUnavailableError("Cannot use NATS: not subscribed"));
      this.#connection = undefined;
    }
  }

  /** Subscribes to every wanted channel again, then sets `open`. */
  async #open(connection: NatsConnection): Promise<void> {
    if (connection.failure !== undefined) throw connection.failure;
    // From here on, a message either arrives or is in a gap, even if this connection is lost at once.
    this.#probe.answered(now());
    this.#probe.start(() => connection.flush(), (error) => connection.close(error));
    await this.#subscriptions.connected();
    if (connection.failure !== undefined) throw connection.failure;
    const gap = joinGaps(this.#since && gapSince(this.#since), this.#refusedGap);
    this.#since = this.#refusedGap = undefined;
    this.#status.emit({ status: "open", ...gap && { gap } });
  }

  /** A refused channel is confirmed. While the bus is away, its gap is told when the bus is back. */
  #refusalEnded(gap: BackplaneGap): void {
    if (this.status === "open") this.#status.emit({ status: "open", gap });
    else this.#refusedGap = joinGaps(this.#refusedGap, gap);
  }

  /** Runs before any publish or command of the connection rejects. */
  #lost(error: Error): void {
    this.#probe.stop();
    this.#subscriptions.disconnected();
    // A connection that is lost before it is open belongs to the same gap.
    this.#since ??= this.#probe.since;
    if (this.#status.status === "open") this.#status.emit({ status: "reconnecting", error });
  }

  #failed(server: NatsServer, cause: unknown): void {
    const { status, error: told } = this.#status;
    if (cause === told) return;
    const message = `Cannot reach NATS at ${server.host}:${server.port}: ${reasonOf(cause)}`;
    if (status === "connecting" && isIncurable(cause)) {
      this.#close(new BackplaneError(message, { cause }));
    } else if (told?.message !== message) {
      this.#status.emit({ status, error: new BackplaneUnavailableError(message, { cause }) });
    }
  }

  #close(cause?: Error): void {
    if (this.#closed !== undefined) return;
    const text = cause?.message ?? "Cannot use the NATS backplane: it is closed";
    this.#closed = new BackplaneClosedError(text, cause && { cause });
    this.#probe.stop();
    this.#subscriptions.close(this.#closed);
    // `closed` comes first: after it, the end of the connection is not reported as a loss.
    this.#status.emit({ status: "closed", ...cause && { error: cause } });
    this.#ending.abort();
    this.#connection?.close(this.#closed);
  }

  #current(): NatsConnection {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#connection !== undefined) return this.#connection;
    throw this.#status.away("Cannot reach NATS yet");
  }
}
