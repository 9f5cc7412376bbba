import { delay } from "@std/async";
import {
  createHubServer,
  defineHub,
  type HubContext,
  HubError,
  type Hubs,
  type HubServer,
  type HubServerConfiguration,
  MemoryBackplane,
} from "../../mod.ts";

interface WireClient {
  hello(text: string): void;
  bye(code: number): void;
}

type Context = HubContext<WireClient>;

/** Named as the exception in the transcripts is: clients see the name with detailed errors. */
class InvalidOperationException extends Error {
  override readonly name = "InvalidOperationException";
}

/** The hub of the transcripts, as far as this library has what it uses. */
const methods = {
  Echo: (_context: Context, value: unknown) => value,
  Nothing: (_context: Context) => {},
  NullResult: (_context: Context) => null,
  GetSmall: (_context: Context) => ({ count: 5, fullName: null, shade: 1 }),
  GetDateMs: (_context: Context) => new Date("2026-01-02T03:04:05.678Z"),
  Escapes: (_context: Context) => "é😀 <>&'\"+\u2028\\/\n\u0001",
  Opt: (_context: Context, a: string, b = "default") => a + b,
  HubFail(_context: Context) {
    throw new HubError("no way");
  },
  Crash(_context: Context) {
    throw new InvalidOperationException("secret");
  },
  Cycle(_context: Context) {
    const cycle: { self?: unknown } = {};
    return cycle.self = cycle;
  },
  async SlowEcho(_context: Context, value: unknown, milliseconds: number) {
    await delay(milliseconds);
    return value;
  },
  async SendThenAbort({ clients, abort }: Context) {
    await clients.caller.send("bye", 1);
    abort();
  },
  *Count(_context: Context, count: number, _milliseconds: number) {
    for (let n = 0; n < count; n++) yield n;
  },
};

async function connected({ request, clients }: Context): Promise<void> {
  const hello = new URL(request.url).searchParams.get("hello");
  if (hello !== null) await clients.caller.send("hello", hello);
}

function throwing(error: Error): (context: Context) => void {
  return () => {
    throw error;
  };
}

const silent = { debug() {}, error() {}, info() {}, warn() {} };

type Options = Partial<HubServerConfiguration<Hubs>>;

/** The endpoints of the transcripts. Times are shorter than theirs, in the same proportions. */
const ENDPOINTS: Readonly<Record<string, Options & { connected?: (context: Context) => unknown }>> =
  {
    wire: {},
    wsonly: {},
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
  };

/** A running node with every endpoint of the transcripts. */
export class WireNode implements AsyncDisposable {
  readonly port: number;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #servers = new Map<string, HubServer<Hubs>>();

  constructor() {
    for (const [name, { connected: open = connected, ...options }] of Object.entries(ENDPOINTS)) {
      const hub = defineHub({ methods, connected: open });
      const server = createHubServer({
        logger: silent,
        ...options,
        hubs: { [`/${name}`]: hub },
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
