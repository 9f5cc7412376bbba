/**
 * One connection to one NATS server. It is never repaired: after its end the driver makes a new one,
 * so no message that NATS's client still holds is sent a second time.
 *
 * @module
 */
import {
  ErrorCode,
  Events,
  type Msg,
  NatsConnectionImpl,
  NatsError,
  QueuedIteratorImpl,
  type Status,
  type Subscription,
} from "nats/lib/nats-base-client/internal_mod.js";
import type { ChannelBus } from "../driver/subscriptions.ts";
import type { NatsAddress, NatsServer } from "./address.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { explained } from "./errors.ts";
import { Publishes } from "./publishes.ts";
import { readSubject, subjectOf } from "./subject.ts";
import { lendTransport, type SocketOptions, type SocketTransport } from "./transport.ts";

/** How long connecting may take, in milliseconds, up to the first PONG of the server. */
const DIAL_TIMEOUT = 2000;
/** The driver's own probe is quicker; that of NATS's client must not interfere. */
const CLIENT_PING_INTERVAL = 24 * 60 * 60 * 1000;

/** The events of a connection. */
export interface NatsConnectionEvents {
  /** A message arrived. */
  received(channel: string, payload: Uint8Array): void;
  /** The connection has ended; called once, before any publish or command rejects. */
  lost(error: Error): void;
  /** The server refused a publish whose promise is already settled. */
  denied(channel: string): void;
}

interface Subscribed {
  readonly subscription: Subscription;
  /** Whether the server has answered a PING behind it. A later refusal then ends the connection. */
  confirmed: boolean;
}

/** An open connection, as the driver uses it. */
export class NatsConnection implements ChannelBus {
  readonly #client: NatsConnectionImpl;
  readonly #prefix: string;
  readonly #events: NatsConnectionEvents;
  readonly #publishes: Publishes;
  readonly #subscribed = new Map<string, Subscribed>();
  readonly #refused = new Map<string, Error>();
  readonly #flushes = new Set<(error: Error) => void>();
  #failure: Error | undefined;

  private constructor(
    client: NatsConnectionImpl,
    options: { readonly prefix: string; readonly publishTimeout: number },
    events: NatsConnectionEvents,
  ) {
    this.#client = client;
    this.#prefix = options.prefix;
    this.#events = events;
    // The client calls `resolve` while it reads the PONG; a promise would settle too late.
    const pong = { resolve: () => this.#publishes.accepted(), reject: () => {} };
    const answered = Object.assign(Promise.resolve(), pong);
    this.#publishes = new Publishes({
      publish: (subject, payload) => client.publish(subject, payload),
      ping: () => void client.protocol.flush(answered),
    }, options.publishTimeout);
    client.protocol.listeners.push(new ErrorListener((status) => this.#heard(status)));
    client.closed().then((error) => this.#end(error ?? undefined));
  }

  /**
   * Connects to `server`; resolves when it has accepted the credentials.
   *
   * @throws {Error} the error of the client, the socket or TLS; see `isIncurable`.
   */
  static async open(
    server: NatsServer,
    options: NatsAddress & { readonly publishTimeout: number; readonly signal: AbortSignal },
    events: NatsConnectionEvents,
  ): Promise<NatsConnection> {
    options.signal.throwIfAborted();
    let transport: SocketTransport | undefined;
    const dial: SocketOptions = {
      servers: [`${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`],
      ...options.credentials,
      ...options.tls && { tls: options.tls },
      noEcho: true,
      reconnect: false,
      resolve: false,
      ignoreClusterUpdates: true,
      noAsyncTraces: true,
      timeout: DIAL_TIMEOUT,
      pingInterval: CLIENT_PING_INTERVAL,
      transportOpened: (opened) => {
        transport = opened;
        giveBack();
        if (options.signal.aborted) abort();
      },
    };
    const giveBack = lendTransport();
    const abort = () => transport?.close();
    options.signal.addEventListener("abort", abort);
    try {
      const client = await NatsConnectionImpl.connect(dial) as NatsConnectionImpl;
      if (options.signal.aborted) await client.close();
      options.signal.throwIfAborted();
      return new NatsConnection(client, options, events);
    } catch (error) {
      throw explained(error, DIAL_TIMEOUT);
    } finally {
      options.signal.removeEventListener("abort", abort);
      giveBack();
    }
  }

  /** Why the connection ended; `undefined` while it lasts. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The largest payload that the server takes, in bytes. */
  get maximumPayloadBytes(): number {
    return this.#client.info?.max_payload ?? Infinity;
  }

  /** Publishes; see {@link Publishes.publish}. */
  publish(channel: string, payload: Uint8Array): Promise<undefined> {
    return this.#publishes.publish(subjectOf(this.#prefix, channel), payload);
  }

  /** Asks for those of `channels` that are not subscribed yet; rejects if the server refuses one. */
  async subscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      if (!this.#subscribed.has(channel)) this.#subscribe(channel);
    }
    await this.flush();
    let refusal: Error | undefined;
    for (const channel of channels) {
      const subscribed = this.#subscribed.get(channel);
      if (subscribed !== undefined) subscribed.confirmed = true;
      refusal ??= this.#refused.get(channel);
      this.#refused.delete(channel);
    }
    if (refusal !== undefined) throw refusal;
  }

  /** Gives `channels` up. */
  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      this.#subscribed.get(channel)?.subscription.unsubscribe();
      this.#subscribed.delete(channel);
    }
    await this.flush();
  }

  /** Resolves when the server has processed all earlier commands; rejects when the connection ends. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#flushes.add(reject);
      // The client's promise never settles when the connection is cut.
      this.#client.flush().then(() => {
        this.#flushes.delete(reject);
        resolve();
      }, () => {});
    });
  }

  /** Ends the connection for `error`; resolves when its socket is free. */
  async close(error: Error): Promise<void> {
    // Messages of this turn are still sent, although their publishes reject.
    if (this.#failure === undefined) this.#publishes.flush();
    this.#end(error);
    await this.#client.protocol.transport.close();
    await this.#client.close();
  }

  #subscribe(channel: string): void {
    const subscription = this.#client.subscribe(subjectOf(this.#prefix, channel), {
      callback: (error: NatsError | null, message: Msg) => {
        if (this.#failure !== undefined) return;
        if (error === null) this.#events.received(channel, message.data);
        else this.#refusedBy(channel, error);
      },
    });
    this.#subscribed.set(channel, { subscription, confirmed: false });
  }

  #refusedBy(channel: string, error: Error): void {
    const confirmed = this.#subscribed.get(channel)?.confirmed;
    this.#subscribed.delete(channel);
    // The client drops a refused subscription, and a confirmed channel must not fall silent.
    if (confirmed) this.close(error);
    else this.#refused.set(channel, error);
  }

  #heard(status: Status): void {
    const context = status.permissionContext;
    if (status.type !== Events.Error || context?.operation !== "publish") return;
    const { subject } = context;
    const cause = new NatsError(
      `Permissions Violation for Publish to "${subject}"`,
      ErrorCode.PermissionsViolation,
    );
    if (!this.#publishes.denied(subject, cause)) this.#events.denied(readSubject(subject).channel);
  }

  #end(cause: Error | undefined): void {
    if (this.#failure !== undefined) return;
    const reason = cause === undefined ? "the server closed it" : cause.message;
    this.#failure = cause instanceof BackplaneError
      ? cause
      : new BackplaneUnavailableError(`Lost the connection to NATS: ${reason}`, cause && { cause });
    this.#events.lost(this.#failure);
    this.#publishes.fail(this.#failure);
    for (const reject of this.#flushes) reject(this.#failure);
    this.#flushes.clear();
  }
}

/** Passes on server errors in the turn in which they are read, before the PONG behind them. */
class ErrorListener extends QueuedIteratorImpl<Status> {
  readonly #heard: (status: Status) => void;

  constructor(heard: (status: Status) => void) {
    super();
    this.#heard = heard;
  }

  override push(status: Status): void {
    this.#heard(status);
  }
}
