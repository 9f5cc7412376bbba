import {
  createHubServer,
  defineHub,
  HubError,
  type Hubs,
  type HubServer,
  type HubServerConfiguration,
  MemoryBackplane,
} from "../../mod.ts";
import { KeptLog } from "../client/running_node.ts";
import {
  InvalidOperationException,
  wireConnected,
  type WireContext,
  wireMethods,
} from "./wire_hub.ts";

function throwing(error: Error): (context: WireContext) => void {
  return () => {
    throw error;
  };
}

interface Endpoint extends Partial<HubServerConfiguration<Hubs>> {
  readonly connected?: (context: WireContext) => unknown;
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
  stateful: {},
  detailed: { detailedErrors: true },
  minver1: { minimumProtocolVersion: 1 },
  small: { maximumReceiveMessageSize: 100 },
  smalldetailed: { maximumReceiveMessageSize: 100, detailedErrors: true },
  parallel: { maximumParallelInvocationsPerClient: 2 },
  fast: {
    handshakeTimeout: 500,
    keepAliveInterval: 500,
    clientTimeoutInterval: 2500,
    longPolling: { pollTimeout: 1000 },
    detailedErrors: true,
  },
  auth: {
    authenticate(request) {
      const [, id] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
      return id === undefined ? new Response(null, { status: 401 }) : { id };
    },
  },
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

/** A running node with every endpoint of the transcripts. */
export class WireNode implements AsyncDisposable {
  readonly port: number;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #servers = new Map<string, HubServer<Hubs>>();

  constructor() {
    for (const [name, { connected = wireConnected, ...options }] of Object.entries(ENDPOINTS)) {
      const server = createHubServer({
        logger: new KeptLog(),
        ...options,
        hubs: { [`/${name}`]: defineHub({ methods: wireMethods, connected }) },
        backplane: new MemoryBackplane(),
      });
      this.#servers.set(name, server);
    }
    this.#http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const [, name = ""] = new URL(request.url).pathname.split("/");
      return this.#servers.get(name)?.fetch(request) ?? new Response(null, { status: 404 });
    });
    this.port = this.#http.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server.close();
    await this.#http.shutdown();
  }
}
