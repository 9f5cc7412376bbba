import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { bounded, Events } from "./until.ts";

/** The names of the hub protocols. */
export const PROTOCOLS = ["json", "messagepack"] as const;

/** How a {@link SignalRClient} connects. */
export interface ClientOptions {
  /** What it may connect with; WebSockets alone unless told otherwise. */
  readonly transport?: HttpTransportType;
  /** What it speaks; JSON unless told otherwise. */
  readonly protocol?: (typeof PROTOCOLS)[number];
  /** Opens the WebSocket without negotiating. */
  readonly skipNegotiation?: boolean;
  /** The bearer token. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** Pauses before attempts to reconnect; without them it does not. */
  readonly reconnectDelays?: number[];
  /** How long the server may be silent, in milliseconds. */
  readonly serverTimeout?: number;
  /** The pause between two pings, in milliseconds. */
  readonly keepAlive?: number;
  /** Makes the client's sockets. */
  readonly webSocket?: typeof WebSocket;
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

  private constructor(connection: HubConnection) {
    this.connection = connection;
    connection.on("got", (...args) => this.got.add(args));
    connection.onclose((error) => this.events.add({ kind: "closed", error: error?.message }));
    connection.onreconnecting((error) =>
      this.events.add({ kind: "reconnecting", error: error?.message })
    );
    connection.onreconnected((id) => this.events.add({ kind: "reconnected", id }));
  }

  /** A client that has not connected. */
  static make(url: string, options: ClientOptions = {}): SignalRClient {
    const { token, headers, reconnectDelays, webSocket } = options;
    const http: IHttpConnectionOptions = {
      skipNegotiation: options.skipNegotiation ?? false,
      transport: options.transport ?? HttpTransportType.WebSockets,
      ...(token === undefined ? {} : { accessTokenFactory: () => token }),
      ...(headers === undefined ? {} : { headers }),
      ...(webSocket === undefined ? {} : { WebSocket: webSocket }),
    };
    const builder = new HubConnectionBuilder().withUrl(url, http).configureLogging(LogLevel.None);
    if (options.protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
    if (reconnectDelays !== undefined) builder.withAutomaticReconnect(reconnectDelays);
    const connection = builder.build();
    connection.serverTimeoutInMilliseconds = options.serverTimeout ?? 30_000;
    connection.keepAliveIntervalInMilliseconds = options.keepAlive ?? 15_000;
    return new SignalRClient(connection);
  }

  /** A client that has connected. */
  static async connect(url: string, options: ClientOptions = {}): Promise<SignalRClient> {
    const client = SignalRClient.make(url, options);
    await bounded(client.connection.start());
    return client;
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
    await bounded(this.connection.stop());
  }
}
