import { listen, type Listener, type ListenOptions } from "../../../hub/listen/listen.ts";
import {
  createHubServer,
  defineHub,
  type HubContext,
  type HubServerOptions,
  MemoryBackplane,
} from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { Events } from "../../kit/wait.ts";
import { dial, writeAll } from "../../kit/tcp.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

/** A hub behind `listen()`, with what happens in it. */
export class Listening implements AsyncDisposable {
  readonly log: KeptLog = new KeptLog();
  /** The URL of each negotiate, as the server sees it. */
  readonly urls: string[] = [];
  /** Calls of `wait`, which run until they are settled. */
  readonly waiting: Events<PromiseWithResolvers<void>> = new Events();
  /** How each connection ended. */
  readonly ends: Events<Error | undefined> = new Events();
  readonly server: ReturnType<Listening["serverOf"]>;
  #listener: Listener | undefined;

  private constructor(options: HubServerOptions) {
    this.server = this.serverOf(options);
  }

  /** Starts one on a free port of the loopback interface. */
  static async start(
    options: ListenOptions = {},
    server: HubServerOptions = {},
  ): Promise<Listening> {
    const listening = new Listening(server);
    const address = { hostname: "127.0.0.1", port: 0 };
    listening.#listener = await listen(listening.server, { ...address, ...options });
    return listening;
  }

  get listener(): Listener {
    if (this.#listener === undefined) throw new Error("unreachable");
    return this.#listener;
  }

  get port(): number {
    return this.listener.port;
  }

  /** A connection on which nothing was sent. */
  async dial(text = ""): Promise<Deno.TcpConn> {
    const connection = await dial(this.port);
    await writeAll(connection, new TextEncoder().encode(text));
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.listener.close();
  }

  private serverOf(options: HubServerOptions) {
    const { waiting, ends } = this;
    let served = 0;
    const hub = defineHub({
      methods: {
        async join({ groups, connectionId }: Context, group: string) {
          await groups.add(connectionId, group);
        },
        wait(_context: Context) {
          const call = Promise.withResolvers<void>();
          waiting.add(call);
          return call.promise;
        },
        count: (_context: Context) => ++served,
        leave: ({ abort }: Context) => abort(),
      },
      disconnected: (_context, error) => ends.add(error),
    });
    return createHubServer({
      logger: this.log,
      ...options,
      hubs: { "/hub": hub },
      backplane: new MemoryBackplane(),
      authenticate: ({ url }) => {
        this.urls.push(url);
        return undefined;
      },
    });
  }
}
