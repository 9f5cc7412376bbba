import {
  createHubServer,
  defineHub,
  HubError,
  type Hubs,
  type HubServer,
  type HubServerConfiguration,
  type HubUser,
  MemoryBackplane,
  MemoryBus,
} from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import type { Host, Hosted } from "../../kit/servers/hosts.ts";
import {
  InvalidOperationException,
  wireConnected,
  type WireContext,
  wireMethods,
} from "./wire_hub.ts";
import { valueMethods } from "./wire_values.ts";

function throwing(error: Error): (context: WireContext) => void {
  return () => {
    throw error;
  };
}

/** A token is a user id, perhaps with a dot and how many seconds it is good for. */
function bearer({ headers, url }: Request): HubUser | Response {
  const [, header] = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "") ?? [];
  const token = header ?? new URL(url).searchParams.get("access_token");
  if (token === null) return new Response(null, { status: 401 });
  const [id = "", seconds] = token.split(".");
  if (seconds === undefined) return { id };
  return { id, expires: new Date(Date.now() + 1000 * Number(seconds)) };
}

interface Endpoint extends Partial<HubServerConfiguration<Hubs>> {
  readonly connected?: (context: WireContext) => unknown;
  /** Whether there are no other nodes to be reached. */
  readonly alone?: true;
}

/** The origin that is listed where any is. */
const ORIGIN = "http://127.0.0.1:9999";

/** The endpoints of the transcripts. Times are shorter than theirs, in the same proportions. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  wire: { cors: { origins: [ORIGIN] }, disconnectTimeout: 2000 },
  origin: { webSockets: { allowedOrigins: [ORIGIN] } },
  wsonly: { transports: ["WebSockets"] },
  sseonly: { transports: ["ServerSentEvents"] },
  lponly: { transports: ["LongPolling"] },
  none: { transports: [] },
  stateful: { allowStatefulReconnects: true, disconnectTimeout: 3000 },
  unlimited: { maximumReceiveMessageSize: null },
  detailed: { detailedErrors: true },
  // Every endpoint is as this one.
  minver1: {},
  small: { maximumReceiveMessageSize: 100 },
  smalldetailed: { maximumReceiveMessageSize: 100, detailedErrors: true },
  // There is no such option.
  msgpackonly: {},
  parallel: { maximumParallelInvocationsPerClient: 2 },
  fast: {
    handshakeTimeout: 500,
    keepAliveInterval: 500,
    clientTimeoutInterval: 2500,
    longPolling: { pollTimeout: 1000 },
    detailedErrors: true,
  },
  auth: { authenticate: bearer, closeOnAuthenticationExpiration: true },
  broken: { alone: true },
  badconnect: { connected: throwing(new InvalidOperationException("bad connect")) },
  badconnecthub: { connected: throwing(new HubError("bad connect")) },
  badconnectdetailed: {
    connected: throwing(new InvalidOperationException("bad connect")),
    detailedErrors: true,
  },
  askinconnect: {
    connected: ({ clients }) => clients.caller.invoke("add", 1, 2),
    detailedErrors: true,
  },
};

/** A running node with the endpoints of the transcripts, each on a port of its own. */
export class WireNode implements AsyncDisposable {
  readonly #host: Host;
  readonly #started = new Map<string, Promise<Running>>();

  /** Starts nothing before it is asked for. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** The port of the endpoint that a path begins with. */
  async portOf(path: string): Promise<number> {
    const [, name = ""] = new URL(path, "http://localhost").pathname.split("/");
    let running = this.#started.get(name);
    if (running === undefined) this.#started.set(name, running = this.#start(name));
    return (await running).http.port;
  }

  async #start(name: string): Promise<Running> {
    const endpoint = ENDPOINTS[name];
    if (endpoint === undefined) throw new Error(`Cannot find endpoint: ${name}`);
    const { connected = wireConnected, alone, ...options } = endpoint;
    const bus = new MemoryBus();
    if (alone) bus.stop();
    const server: HubServer<Hubs> = createHubServer({
      logger: new KeptLog(),
      ...options,
      hubs: {
        [`/${name}`]: defineHub({ methods: { ...wireMethods, ...valueMethods }, connected }),
      },
      backplane: new MemoryBackplane(bus),
    });
    return { server, http: await this.#host(server) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server, http } of await Promise.all(this.#started.values())) {
      await server.close();
      await http.shutdown();
    }
  }
}

interface Running {
  readonly server: HubServer<Hubs>;
  readonly http: Hosted;
}
