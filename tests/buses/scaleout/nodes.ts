import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import {
  type Backplane,
  createHubServer,
  defineHub,
  type Hub,
  type HubContext,
  type HubHandle,
  type HubServer,
  type HubServerOptions,
} from "../../../mod.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { type Host, type Hosted, hostWithFetch, hostWithListen } from "../../kit/servers/hosts.ts";
import { bounded, Events, randomPrefix } from "../../kit/wait.ts";
import type { Bus } from "./buses.ts";
import type { TestClient } from "../../kit/pipe_node.ts";
import { KeptLog } from "../../kit/log.ts";

type Context = HubContext<TestClient>;

/** What every hub of these tests can do. */
type TestMethods = {
  echo(context: Context, value: unknown): unknown;
  toOthers(context: Context, text: string): Promise<void>;
  toOthersInGroup(context: Context, group: string, text: string): Promise<void>;
  join(context: Context, group: string): Promise<void>;
  /** Does not end, whatever becomes of its connection. */
  forever(context: Context): Promise<void>;
};

const methods: Omit<TestMethods, "forever"> = {
  echo: (_context, value) => value,
  toOthers: ({ clients }, text) => clients.others.send("heard", text),
  toOthersInGroup: ({ clients }, group, text) => clients.othersInGroup(group).send("heard", text),
  join: ({ groups, connectionId }, group) => groups.add(connectionId, group),
};

/** An official client. */
export class OfficialClient implements AsyncDisposable {
  readonly connection: HubConnection;
  /** What the server called: the arguments of `heard`. */
  readonly heard: Events<readonly unknown[]> = new Events<readonly unknown[]>();
  /** Why the connection closed, once it has. */
  readonly closed: Events<Error | undefined> = new Events<Error | undefined>();

  readonly #sockets: ClientSockets;

  private constructor(connection: HubConnection, sockets: ClientSockets) {
    this.connection = connection;
    this.#sockets = sockets;
    connection.on("heard", (...args: unknown[]) => this.heard.add(args));
    connection.onclose((error) => this.closed.add(error));
  }

  /** Connects to `url`; resolves when other nodes reach it. */
  static async connect(url: string): Promise<OfficialClient> {
    const sockets = new ClientSockets();
    const connection = new HubConnectionBuilder()
      .withUrl(url, { transport: HttpTransportType.WebSockets, ...sockets })
      .configureLogging(LogLevel.None).build();
    const client = new OfficialClient(connection, sockets);
    await bounded(connection.start(), "a client's start");
    // The handshake is answered before the bus has confirmed; an invocation, only after.
    await bounded(connection.invoke("echo", "ready"), "a client's first answer");
    return client;
  }

  /** The public connection id. */
  get id(): string {
    return this.connection.connectionId ?? "";
  }

  /** The first argument of each call, in order. */
  get texts(): unknown[] {
    return this.heard.all.map(([text]) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
    await this.#sockets.closed();
  }
}

/** A real node: a hub server behind a real port. */
export class Node implements AsyncDisposable {
  readonly server: HubServer<{ "/hub": Hub<TestMethods> }>;
  readonly logger: KeptLog = new KeptLog();
  /** The ids of connections whose `disconnected` has run. */
  readonly departed: Events<string> = new Events<string>();
  /** The ids of connections that called `forever`. */
  readonly running: Events<string> = new Events<string>();
  #http: Hosted | undefined;

  private constructor(backplane: Backplane, options: HubServerOptions = {}) {
    this.server = createHubServer({
      logger: this.logger,
      ...options,
      hubs: { "/hub": testHub(this) },
      backplane,
      authenticate(request) {
        const id = new URL(request.url).searchParams.get("user");
        return id === null ? undefined : { id };
      },
    });
  }

  /** Makes a node that serves a hub named `hub` at `/hub`. */
  static async open(
    backplane: Backplane,
    options?: HubServerOptions,
    host: Host = hostWithFetch,
  ): Promise<Node> {
    const node = new Node(backplane, options);
    node.#http = await host(node.server);
    return node;
  }

  /** The same, and waits until it hears the others. */
  static async start(
    backplane: Backplane,
    options?: HubServerOptions,
    host?: Host,
  ): Promise<Node> {
    const node = await Node.open(backplane, options, host);
    await bounded(node.server.ready, "a node to be ready");
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#http?.port}/hub`;
  }

  get clients(): HubHandle<TestClient>["clients"] {
    return this.server.hub("/hub").clients;
  }

  get groups(): HubHandle<TestClient>["groups"] {
    return this.server.hub("/hub").groups;
  }

  /** An official client of this node. */
  connect(user?: string): Promise<OfficialClient> {
    const query = user === undefined ? "" : `?user=${encodeURIComponent(user)}`;
    return OfficialClient.connect(this.url + query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.#http?.shutdown();
  }
}

function testHub(node: Pick<Node, "departed" | "running">): Hub<TestMethods> {
  return defineHub({
    methods: {
      ...methods,
      forever({ connectionId }) {
        node.running.add(connectionId);
        return new Promise<void>(() => {});
      },
    },
    disconnected: ({ connectionId }) => node.departed.add(connectionId),
  });
}

/** Two nodes on one bus, behind different servers. */
export class Pair implements AsyncDisposable {
  readonly one: Node;
  readonly two: Node;

  private constructor(one: Node, two: Node) {
    this.one = one;
    this.two = two;
  }

  static async start(bus: Bus, options?: HubServerOptions): Promise<Pair> {
    const prefix = randomPrefix();
    const [one, two] = await Promise.all(
      [hostWithFetch, hostWithListen].map(async (host) =>
        await Node.start(await bus.open(prefix), options, host)
      ),
    );
    if (one === undefined || two === undefined) throw new Error("unreachable");
    return new Pair(one, two);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.one, this.two].map((node) => node[Symbol.asyncDispose]()));
  }
}
