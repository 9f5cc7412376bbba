import { type HubConnection, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import {
  type Backplane,
  createHubServer,
  defineHub,
  type Hub,
  type HubContext,
  type HubHandle,
  type HubServer,
  type HubServerOptions,
} from "../../mod.ts";
import { Arrivals, bounded, randomPrefix } from "./arrivals.ts";
import type { Bus } from "./buses.ts";
import type { TestClient } from "./pipe_node.ts";
import { RecordingLogger } from "./recording_logger.ts";

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
  readonly heard: Arrivals<readonly unknown[]> = new Arrivals<readonly unknown[]>();
  /** Why the connection closed, once it has. */
  readonly closed: Arrivals<Error | undefined> = new Arrivals<Error | undefined>();

  private constructor(connection: HubConnection) {
    this.connection = connection;
    connection.on("heard", (...args: unknown[]) => this.heard.add(args));
    connection.onclose((error) => this.closed.add(error));
  }

  /** Connects to `url`; resolves when other nodes reach it. */
  static async connect(url: string): Promise<OfficialClient> {
    const connection = new HubConnectionBuilder().withUrl(url)
      .configureLogging(LogLevel.None).build();
    const client = new OfficialClient(connection);
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
  }
}

/** A real node: a hub server behind a real port. */
export class Node implements AsyncDisposable {
  readonly server: HubServer<{ "/hub": Hub<TestMethods> }>;
  readonly logger: RecordingLogger = new RecordingLogger();
  /** The ids of connections whose `disconnected` has run. */
  readonly departed: Arrivals<string> = new Arrivals<string>();
  /** The ids of connections that called `forever`. */
  readonly running: Arrivals<string> = new Arrivals<string>();
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  /** Serves a hub named `hub` at `/hub`. */
  constructor(backplane: Backplane, options: HubServerOptions = {}) {
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
    this.#http = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      this.server.fetch,
    );
  }

  /** Makes a node that hears the others. */
  static async start(backplane: Backplane, options?: HubServerOptions): Promise<Node> {
    const node = new Node(backplane, options);
    await bounded(node.server.ready, "a node to be ready");
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}/hub`;
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
    await this.#http.shutdown();
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

/** Two nodes on one bus. */
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
      [1, 2].map(async () => await Node.start(await bus.open(prefix), options)),
    );
    if (one === undefined || two === undefined) throw new Error("unreachable");
    return new Pair(one, two);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.one, this.two].map((node) => node[Symbol.asyncDispose]()));
  }
}
