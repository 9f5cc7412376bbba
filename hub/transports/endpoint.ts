/**
 * Answers the HTTP requests to hubs. `specs/signalr-wire.md §2 and §4`.
 *
 * @module
 */
import { Link, type LinkedConnection } from "../connection/link.ts";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { TransportName } from "../options/transports.ts";
import type { AcceptedWebSocket, AcceptWebSocket } from "./acceptor.ts";
import { LongPolling } from "./long_polling.ts";
import { negotiate, parameters } from "./negotiate.ts";
import { mayOpenWebSocket } from "./origins.ts";
import type { TransportParts } from "./parts.ts";
import { RequestCopy } from "./request_copy.ts";
import { otherSite, otherUser, tooManyPosts, unavailable } from "./refusals.ts";
import { NO_CONNECTION, plain, uncached } from "./responses.ts";
import { EventStream } from "./server_sent_events.ts";
import type { Session } from "./session.ts";
import { acceptWebSocket } from "./websocket.ts";

/** One request to a hub. */
export interface HubRequestInfo {
  readonly request: Request;
  readonly url: URL;
  /** The hub at the path of the request. */
  readonly hub: object;
  /** Whether the request was to `…/negotiate`. */
  readonly negotiating: boolean;
  /** The id of the user; `undefined` for an anonymous client. */
  readonly userId: string | undefined;
  /** Whether the server takes new connections. */
  readonly admitting: boolean;
  /** How the HTTP server takes WebSockets; `undefined` if it cannot. */
  readonly accept: AcceptWebSocket | undefined;
  /** Takes a new connection. */
  readonly connect: (pipe: Pipe, connection: NewConnection) => LinkedConnection;
}

/** A connection that a transport opens. */
export interface NewConnection {
  /** The public connection id. */
  readonly id: string;
  /** A copy of the client's request, which cannot be read once it was answered. */
  readonly request: RequestCopy;
  /** Whether the client may lose its WebSocket and come back on another. */
  readonly stateful: boolean;
  /** Is told when the connection has ended. */
  readonly owner: Pick<Session, "connectionEnded">;
}

const encoder = new TextEncoder();

/** Answers the requests to every hub of a server. */
export class Endpoint {
  readonly #parts: TransportParts;

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  /** Answers a request. */
  async answer(info: HubRequestInfo): Promise<Response> {
    const { request, url, negotiating, admitting } = info;
    if (negotiating) {
      if (request.method !== "POST") return plain(405);
      if (!admitting) return unavailable();
      return negotiate(url, this.#parts, { hub: info.hub, transports: this.#transports(info) });
    }
    switch (request.method) {
      case "GET":
        if (acceptsEventStream(request)) return this.#eventStream(info);
        if (isWebSocket(request)) return this.#webSocket(info);
        return uncached(await this.#poll(info));
      case "POST":
        return await this.#post(info);
      case "DELETE":
        return this.#delete(info);
      default:
        return plain(405);
    }
  }

  #webSocket(info: HubRequestInfo): Response {
    const { request, url, hub, admitting } = info;
    const { table, options } = this.#parts;
    if (!mayOpenWebSocket(request, options)) return otherSite(request, this.#parts.limitedLog);
    const token = connectionToken(url);
    const session = token === "" ? undefined : table.find(hub, token);
    if (token !== "" && session === undefined) {
      // Without a content type, unlike the other transports' answer.
      return admitting
        ? new Response(encoder.encode(NO_CONNECTION), { status: 404 })
        : unavailable();
    }
    const returning = session?.connection?.isStateful === true ? session.connection : undefined;
    if (returning !== undefined && session?.belongsTo(info.userId) === false) return otherUser();
    const refusal = returning ? undefined : this.#refusal(info, "WebSockets", session);
    if (refusal !== undefined) return refusal;
    const copy = new RequestCopy(request);
    let accepted: AcceptedWebSocket | undefined;
    try {
      accepted = info.accept?.(request, this.#parts.table.closing);
    } catch {
      // The client is told below.
    }
    if (accepted === undefined) return plain(400, "The request is not a valid WebSocket opening");
    if (returning !== undefined) {
      accepted.connectWhenOpen((pipe) => {
        returning.resumeOn(pipe);
        return new Link(pipe, returning);
      });
      return accepted.response;
    }
    const opened = session ?? table.create(hub);
    table.setTransport(opened, "WebSockets");
    accepted.connectNow((pipe) => connect(info, opened, pipe, copy));
    return accepted.response;
  }

  #eventStream(info: HubRequestInfo): Response {
    const session = this.#find(info);
    if (session instanceof Response) return session;
    const refusal = this.#refusal(info, "ServerSentEvents", session);
    if (refusal !== undefined) return refusal;
    const stream = new EventStream(session, this.#parts);
    return stream.open((pipe) => connect(info, session, pipe, new RequestCopy(info.request)));
  }

  #poll(info: HubRequestInfo): Response | Promise<Response> {
    const session = this.#find(info);
    if (session instanceof Response) return session;
    const refusal = this.#refusal(info, "LongPolling", session);
    if (refusal !== undefined) return refusal;
    if (session.pipe instanceof LongPolling) return session.pipe.poll(signalOf(info));
    const polling = new LongPolling(session, this.#parts);
    return polling.open((pipe) => connect(info, session, pipe, new RequestCopy(info.request)));
  }

  async #post(info: HubRequestInfo): Promise<Response> {
    const session = this.#find(info);
    if (session instanceof Response) return session;
    if (session.transport === "WebSockets") {
      return plain(405, "POST requests are not allowed for WebSocket connections.");
    }
    if (!session.belongsTo(info.userId)) return otherUser();
    const { options: { maximumPostsPerConnection }, limitedLog } = this.#parts;
    const status = await session.posts.read(info.request, maximumPostsPerConnection);
    if (status === 429) tooManyPosts(maximumPostsPerConnection, limitedLog);
    return plain(status);
  }

  #delete(info: HubRequestInfo): Response {
    const session = this.#find(info);
    if (session instanceof Response) return session;
    if (session.transport !== "LongPolling") {
      return plain(400, "Cannot terminate this connection using the DELETE endpoint.");
    }
    if (!session.belongsTo(info.userId)) return otherUser();
    this.#parts.table.dispose(session);
    return plain(202);
  }

  /** The session that a request names, or the answer if there is none. */
  #find({ url, hub, admitting }: HubRequestInfo): Session | Response {
    const token = connectionToken(url);
    if (token === "") return admitting ? plain(400, "Connection ID required") : unavailable();
    const session = this.#parts.table.find(hub, token);
    if (session?.transport === undefined && !admitting) return unavailable();
    return session ?? plain(404, NO_CONNECTION);
  }

  /** The transports that the server of a request can serve, in the order of preference. */
  #transports({ accept }: HubRequestInfo): readonly TransportName[] {
    const { transports } = this.#parts.options;
    return accept === undefined ? transports.filter((name) => name !== "WebSockets") : transports;
  }

  /** The answer if `transport` cannot be attached to a session, or to a new one. §4.1 */
  #refusal(
    info: HubRequestInfo,
    transport: TransportName,
    session?: Session,
  ): Response | undefined {
    if (!this.#transports(info).includes(transport)) {
      return plain(404, `${transport} transport not supported by this end point type`);
    }
    const attached = session?.transport;
    if (attached !== undefined && attached !== transport) {
      return plain(400, "Cannot change transports mid-connection");
    }
    // Only polls may follow each other.
    if (attached !== undefined && transport !== "LongPolling") return plain(409);
    if (session?.belongsTo(info.userId) === false) return otherUser();
    return attached === undefined && !info.admitting ? unavailable() : undefined;
  }
}

/** Makes the connection of a session. */
function connect(
  info: HubRequestInfo,
  session: Session,
  pipe: Pipe,
  request: RequestCopy,
): PipeListener {
  const { id } = session;
  const stateful = session.stateful && session.transport === "WebSockets";
  const connection = info.connect(pipe, { id, request, stateful, owner: session });
  if (stateful) session.connection = connection;
  return new Link(pipe, connection);
}

/** Deno prints a warning for each process that reads the signal of a request of its own server. */
function signalOf({ request, accept }: HubRequestInfo): AbortSignal | undefined {
  return accept === acceptWebSocket ? undefined : request.signal;
}

/** As upstream: an id that is given twice does not exist. */
function connectionToken(url: URL): string {
  return parameters(url, "id").join(",");
}

function isWebSocket(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Entry by entry, in any case, without parameters. */
function acceptsEventStream(request: Request): boolean {
  const accept = request.headers.get("accept")?.split(",");
  return accept?.some((entry) => entry.trim().toLowerCase() === "text/event-stream") ?? false;
}
