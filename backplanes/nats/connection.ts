/**
 * One connection to one NATS server. It is never repaired: after its end the driver makes a new one,
 * so no message that NATS's client still holds is sent a second time.
 *
 * @module
 */
import {
  MsgImpl,
  NatsConnectionImpl,
  type NatsError,
  ProtocolHandler,
} from "nats/lib/nats-base-client/internal_mod.js";
import type { ChannelBus } from "../driver/channel_bus.ts";
import type { NatsAddress, NatsServer } from "./address.ts";
import { Answers, pongOf } from "./answers.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { explained } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import { Publishes } from "./publishes.ts";
import { subjectOf } from "./subject.ts";
import { Subscriptions } from "./subscriptions.ts";
import { lendTransport, type SocketOptions, type SocketTransport } from "./transport.ts";

/** How long connecting may take, in milliseconds, up to the first PONG of the server. */
const DIAL_TIMEOUT = 2000;
/** The driver's own probe is quicker; that of NATS's client must not interfere. */
const CLIENT_PING_INTERVAL = 24 * 60 * 60 * 1000;
/** The status of a notice that a message has no subscriber. */
const NO_RESPONDERS = 503;

/** The events of a connection. */
export interface NatsConnectionEvents {
  /** A message arrived. */
  received(channel: string, payload: Uint8Array): void;
  /** The connection has ended; called once, before any publish or command rejects. */
  lost(error: Error): void;
}

type MessageParts = Parameters<ProtocolHandler["processMsg"]>;

const decoder = new TextDecoder();

/** An open connection, as the driver uses it. */
export class NatsConnection implements ChannelBus {
  readonly #client: NatsConnectionImpl;
  readonly #prefix: string;
  readonly #events: NatsConnectionEvents;
  readonly #publishes: Publishes;
  readonly #subscriptions: Subscriptions;
  #inboxSid = 0;
  readonly #inbox: Inbox;
  readonly #answers: Answers;
  #failure: Error | undefined;

  private constructor(
    client: NatsConnectionImpl,
    options: { readonly prefix: string; readonly publishTimeout: number },
    events: NatsConnectionEvents,
  ) {
    this.#client = client;
    this.#prefix = options.prefix;
    this.#events = events;
    this.#subscriptions = new Subscriptions(options.prefix);
    const { protocol } = client;
    this.#answers = new Answers(protocol);
    const accepted = pongOf(() => this.#publishes.accepted());
    this.#publishes = new Publishes({
      publish: (subject, payload, reply) =>
        client.publish(subject, payload, reply === undefined ? undefined : { reply }),
      ping: () => void protocol.flush(accepted),
    }, options.publishTimeout);
    this.#inbox = new Inbox({ subscribe: (subject) => this.#openInbox(subject) });
    protocol.processMsg = (message, data) => this.#received(message, data);
    // The client itself drops the text of most errors, and looks through all subscriptions for others.
    protocol.processError = (text) => this.#refused(ProtocolHandler.toError(decoder.decode(text)));
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

  /**
   * Publishes; see {@link Publishes.publish}. With `counted`, the promise resolves with 0 if nobody
   * heard the message and the server says so.
   */
  publish(channel: string, payload: Uint8Array, counted: boolean): Promise<number | undefined> {
    const subject = subjectOf(this.#prefix, channel);
    // Without headers, a server cannot say that nobody heard a message.
    const reply = counted && this.#client.info?.headers ? this.#inbox.next() : undefined;
    return this.#publishes.publish(subject, payload, reply);
  }

  /** Asks for those of `channels` that are not subscribed yet; rejects if the server refuses one. */
  async subscribe(channels: readonly string[]): Promise<void> {
    this.#send(this.#subscriptions.add(channels));
    const unexplained = await this.#answers.asked();
    const refused: string[] = [];
    let refusal: Error | undefined;
    for (const channel of channels) {
      const subscribed = this.#subscriptions.get(channel);
      if (subscribed === undefined) continue;
      const why = subscribed.refusal ?? (subscribed.confirmed ? undefined : unexplained);
      if (why === undefined) subscribed.confirmed = true;
      else refused.push(channel);
      refusal ??= why;
    }
    this.#send(this.#subscriptions.remove(refused));
    if (refusal !== undefined) throw refusal;
  }

  /** Gives `channels` up. */
  async unsubscribe(channels: readonly string[]): Promise<void> {
    this.#send(this.#subscriptions.remove(channels));
    await this.flush();
  }

  /** Resolves when the server has processed all earlier commands; rejects when the connection ends. */
  flush(): Promise<void> {
    return this.#answers.flush();
  }

  /** Ends the connection for `error`; resolves when its socket is free. */
  async close(error: Error): Promise<void> {
    // Messages of this turn are still sent, although their publishes reject.
    if (this.#failure === undefined) this.#publishes.flush();
    this.#end(error);
    await this.#client.protocol.transport.close();
    await this.#client.close();
  }

  #send(commands: string): void {
    if (commands !== "") this.#client.protocol.sendCommand(commands);
  }

  #openInbox(subject: string): Promise<Error | undefined> {
    this.#inboxSid = this.#subscriptions.nextSid();
    this.#send(`SUB ${subject} ${this.#inboxSid}\r\n`);
    return this.#answers.asked();
  }

  #received(...message: MessageParts): void {
    if (this.#failure !== undefined) return;
    const [{ sid, hdr: headerBytes }, data] = message;
    const subscribed = this.#subscriptions.numbered(sid);
    if (subscribed !== undefined) {
      const payload = headerBytes > 0 ? data.subarray(headerBytes) : data;
      this.#events.received(subscribed.channel, payload);
    } else if (sid === this.#inboxSid) {
      const { subject, headers } = new MsgImpl(...message, this.#client.protocol);
      if (headers?.code === NO_RESPONDERS) this.#publishes.unheard(subject);
    }
  }

  /**
   * The server has sent an error. A confirmed channel must not fall silent, and an error that names no
   * cause may have any effect: both end the connection, so that the driver reports a gap.
   */
  #refused(error: NatsError): void {
    const { operation, subject = "" } = error.permissionContext ?? {};
    if (operation === "publish" && this.#publishes.denied(subject, error)) return;
    if (operation !== "subscription") {
      if (!this.#answers.refuse(error)) this.close(error);
    } else if (subject === this.#inbox.subject) this.#inbox.refuse();
    else {
      const subscribed = this.#subscriptions.about(subject);
      if (subscribed?.confirmed) this.close(error);
      else if (subscribed !== undefined) subscribed.refusal = error;
    }
  }

  #end(cause: Error | undefined = this.#answers.refusal): void {
    if (this.#failure !== undefined) return;
    const reason = cause === undefined ? "the server closed it" : cause.message;
    this.#failure = cause instanceof BackplaneError
      ? cause
      : new BackplaneUnavailableError(`Lost the connection to NATS: ${reason}`, cause && { cause });
    this.#events.lost(this.#failure);
    this.#publishes.fail(this.#failure);
    this.#answers.fail(this.#failure);
  }
}
