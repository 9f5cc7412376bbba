import { steadyDate } from "../../../hub/clock.ts";
import { KeyRing } from "../../../hub/cluster/key_ring.ts";
import type { LinkedConnection } from "../../../hub/connection/link.ts";
import type { Pipe } from "../../../hub/connection/pipe.ts";
import { Homes } from "../../../hub/relay/homes.ts";
import { Relay } from "../../../hub/relay/relay.ts";
import { Tokens } from "../../../hub/relay/tokens.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { KeptLog } from "../../kit/log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { type HubServerOptions, resolveOptions } from "../../../hub/options/server.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";
import type { AcceptedWebSocket, AcceptWebSocket } from "../../../hub/transports/acceptor.ts";
import { ConnectionTable } from "../../../hub/transports/connection_table.ts";
import { Endpoint } from "../../../hub/transports/endpoint.ts";
import type { NewConnection } from "../../../hub/transports/hub_request.ts";
import type { NamedHub } from "../../../hub/transports/whereabouts.ts";
import { acceptWebSocket } from "../../../hub/transports/websocket.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** A hub's side of a connection: what came, and how it ended. */
export class FakeConnection implements LinkedConnection {
  readonly isStateful = false;
  readonly pipe: Pipe;
  readonly opening: NewConnection;
  /** Everything that came, joined. */
  text = "";
  /** Whether the transport has said that the client is gone. */
  closed = false;
  /** Called with every chunk. */
  onChunk: ((chunk: string) => void) | undefined;
  readonly #decoder = new TextDecoder();

  constructor(pipe: Pipe, opening: NewConnection) {
    this.pipe = pipe;
    this.opening = opening;
  }

  receive(_pipe: Pipe, chunk: TextOrBytes): void {
    const text = typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    this.text += text;
    this.onChunk?.(text);
  }

  pipeClosed(): void {
    this.closed = true;
  }

  resumeOn(): void {}
}

/** A request to an {@link OfflineEndpoint}. */
export interface OfflineRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal;
  readonly userId?: string;
  /** Whether the server takes new connections; yes unless told otherwise. */
  readonly admitting?: boolean;
  /** The hub at the path; always the same one unless told otherwise. */
  readonly hub?: NamedHub;
  /** How WebSockets are taken; `none` for a server that cannot, `acceptWebSocket` for Deno's own. */
  readonly accept?: AcceptWebSocket | "none";
}

/** Takes WebSockets as no server of Deno does. */
function acceptElsewhere(request: Request): AcceptedWebSocket {
  return acceptWebSocket(request);
}

/** The transports without a network and without hubs; time passes when the test says so. */
export class OfflineEndpoint implements NamedHub {
  readonly name = "hub";
  readonly clock: ManualClock = new ManualClock();
  readonly log: KeptLog = new KeptLog();
  readonly table: ConnectionTable;
  readonly homes: Homes;
  /** Every connection that was made, in order. */
  readonly connections: FakeConnection[] = [];
  readonly #endpoint: Endpoint;

  constructor(configuration: HubServerOptions = {}) {
    const options = resolveOptions(configuration);
    const { clock, log } = this;
    const parts = { clock, scheduler: new Scheduler(), limitedLog: new LimitedLog(log, clock) };
    this.table = new ConnectionTable(parts, options);
    const date = steadyDate(clock);
    const tokens = new Tokens("node", new KeyRing(date), date);
    const cluster = {
      tell: () => Promise.reject(new Error("There is no other node")),
      living: () => [],
      lives: () => false,
      ...{ settled: true, alone: true, status: "open" } as const,
      watchTokens() {},
      watchRelays() {},
    };
    const channels = {
      ask: () => Promise.reject(new Error("There is no other node")),
      hear() {
        throw new Error("There is no other node");
      },
    };
    const context = { ...parts, serverName: "node", cluster, channels };
    this.homes = new Homes({ ...context, date }, options);
    const relay = new Relay(context, options);
    this.#endpoint = new Endpoint({
      ...parts,
      ...{ table: this.table, tokens, homes: this.homes, relay, options },
    });
  }

  /** Sends a request to the hub; `query` is what stands behind its path. */
  send(query: string, request: OfflineRequest = {}): Promise<Response> {
    const { method = "GET", headers = {}, body, signal, userId, admitting = true } = request;
    const { hub = this, accept = acceptElsewhere } = request;
    const url = new URL(`http://localhost/hub${query}`);
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = body;
    if (signal !== undefined) init.signal = signal;
    return this.#endpoint.answer({
      request: new Request(url, init),
      url,
      hub,
      negotiating: url.pathname.endsWith("/negotiate"),
      userId,
      expires: undefined,
      admitting,
      accept: accept === "none" ? undefined : accept,
      connect: (pipe, opening) => {
        const connection = new FakeConnection(pipe, opening);
        this.connections.push(connection);
        return connection;
      },
      // There is no other node.
      claim: () => ({ outcome: Promise.resolve("late"), abandon() {} }),
    });
  }

  /** A new token. */
  async negotiate(): Promise<string> {
    const response = await this.send("/negotiate?negotiateVersion=1", { method: "POST" });
    return (await response.json()).connectionToken;
  }

  /** A connection by long polling after its first poll. */
  async startPolling(): Promise<[connection: FakeConnection, query: string]> {
    const query = `?id=${await this.negotiate()}`;
    await this.send(query);
    return [this.last, query];
  }

  /** A connection by events, and its stream after the first comment. */
  async startEvents(): Promise<
    [FakeConnection, ReadableStreamDefaultReader<Uint8Array>, query: string]
  > {
    const query = `?id=${await this.negotiate()}`;
    const { body } = await this.send(query, { headers: { accept: "text/event-stream" } });
    if (body === null) throw new Error("Cannot read events: no body");
    const reader = body.getReader();
    await reader.read();
    return [this.last, reader, query];
  }

  /** The connection that was made last. */
  get last(): FakeConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("No connection was made");
    return connection;
  }

  /** Lets time pass, with a heartbeat a second. */
  pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 1000) {
      this.clock.advance(Math.min(left, 1000));
      this.table.tick();
      this.homes.tick();
    }
  }
}

/** Status and text of an answer. */
export async function brief(answer: Response | Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  return [response.status, await response.text()];
}
