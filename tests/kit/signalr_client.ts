import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { ClientSockets, type SocketClasses } from "./client_sockets.ts";
import { bounded, Events } from "./wait.ts";

/** The names of the hub protocols. */
export const PROTOCOLS = ["json", "messagepack"] as const;

/** What a test needs of a release of the official client. */
export interface Release {
  readonly HubConnectionBuilder: new () => HubConnectionBuilder;
  readonly MessagePackHubProtocol: new () => MessagePackHubProtocol;
  /** What it connects with; that of the newest release unless told otherwise. */
  readonly sockets?: SocketClasses;
}

const RELEASE_10: Release = { HubConnectionBuilder, MessagePackHubProtocol };

/** How a {@link SignalRClient} connects. */
export interface ClientOptions {
  /** What it may connect with; WebSockets alone unless told otherwise. */
  readonly transport?: HttpTransportType;
  /** What it speaks; JSON unless told otherwise. */
  readonly protocol?: (typeof PROTOCOLS)[number];
  /** Opens the WebSocket without negotiating. */
  readonly skipNegotiation?: boolean;
  /** The bearer token, or what is asked for it at every attempt to connect. */
  readonly token?: string | (() => string);
  readonly headers?: Record<string, string>;
  /** Pauses before attempts to reconnect; without them it does not. */
  readonly reconnectDelays?: number[];
  /** How long the server may be silent, in milliseconds. */
  readonly serverTimeout?: number;
  /** The pause between two pings, in milliseconds. */
  readonly keepAlive?: number;
  /** Makes the client's sockets. */
  readonly webSocket?: typeof WebSocket;
  /** Whether it goes on with another socket when it loses one. */
  readonly stateful?: boolean;
  /** The release of the client; the newest unless told otherwise. */
  readonly release?: Release;
}

/** What happens to a connection. */
export type ClientEvent =
  | { readonly kind: "reconnecting" | "closed"; readonly error: string | undefined }
  | { readonly kind: "reconnected"; readonly id: string | undefined };

/** The official npm client, with its events to wait for; stopped when disposed. */
export class SignalRClient implements AsyncDisposable {
  readonly connection: HubConnection;
  /** The arguments of each call of `got`. */
  readonly got: Events<unknown[]> = new Events();
  /** What happened to the connection. */
  readonly events: Events<ClientEvent> = new Events();

  readonly #sockets: ClientSockets;

  private constructor(connection: HubConnection, sockets: ClientSockets) {
    this.connection = connection;
    this.#sockets = sockets;
    connection.on("got", (...args) => this.got.add(args));
    connection.onclose((error) => this.events.add({ kind: "closed", error: error?.message }));
    connection.onreconnecting((error) =>
      this.events.add({ kind: "reconnecting", error: error?.message })
    );
    connection.onreconnected((id) => this.events.add({ kind: "reconnected", id }));
  }

  /** A client that has not connected. */
  static make(url: string, options: ClientOptions = {}): SignalRClient {
    const { token, headers, reconnectDelays, release = RELEASE_10 } = options;
    const sockets = new ClientSockets({
      ...release.sockets,
      ...(options.webSocket === undefined ? {} : { WebSocket: options.webSocket }),
    });
    const http: IHttpConnectionOptions = {
      skipNegotiation: options.skipNegotiation ?? false,
      transport: options.transport ?? HttpTransportType.WebSockets,
      ...(token === undefined ? {} : { accessTokenFactory: tokenFactory(token) }),
      ...(headers === undefined ? {} : { headers }),
      ...{ WebSocket: sockets.WebSocket, EventSource: sockets.EventSource },
    };
    const builder = new release.HubConnectionBuilder().withUrl(url, http)
      .configureLogging(LogLevel.None);
    if (options.protocol === "messagepack") {
      builder.withHubProtocol(new release.MessagePackHubProtocol());
    }
    if (reconnectDelays !== undefined) builder.withAutomaticReconnect(reconnectDelays);
    if (options.stateful) builder.withStatefulReconnect();
    const connection = builder.build();
    connection.serverTimeoutInMilliseconds = options.serverTimeout ?? 30_000;
    connection.keepAliveIntervalInMilliseconds = options.keepAlive ?? 15_000;
    return new SignalRClient(connection, sockets);
  }

  /** A client that has connected. */
  static async connect(url: string, options: ClientOptions = {}): Promise<SignalRClient> {
    const client = SignalRClient.make(url, options);
    await client.start();
    return client;
  }

  /** Connects. */
  async start(): Promise<void> {
    await bounded(this.connection.start());
  }

  /** Leaves. */
  async stop(): Promise<void> {
    await bounded(this.connection.stop());
  }

  /** Its connection id. */
  get id(): string {
    return this.connection.connectionId ?? "";
  }

  /** Calls a hub method. */
  invoke(method: string, ...args: unknown[]): Promise<unknown> {
    return bounded(this.connection.invoke(method, ...args));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#sockets.closed();
  }
}

function tokenFactory(token: string | (() => string)): () => string {
  return typeof token === "string" ? () => token : token;
}
