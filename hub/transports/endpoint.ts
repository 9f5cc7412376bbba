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
import { negotiate } from "./negotiate.ts";
import { mayOpenWebSocket } from "./origins.ts";
import type { TransportParts } from "./parts.ts";
import { acceptsEventStream, connectionToken, isWebSocket } from "./reading.ts";
import { RequestCopy } from "./request_copy.ts";
import { otherSite, otherUser, tooManyPosts, unavailable } from "./refusals.ts";
import { noConnection, plain, uncached } from "./responses.ts";
import { EventStream } from "./server_sent_events.ts";
import type { Session } from "./session.ts";
import { acceptWebSocket } from "./websocket.ts";
import { type Begun, type NamedHub, Places } from "./whereabouts.ts";

/** One request to a hub. */
export interface HubRequestInfo {
  readonly request: Request;
  readonly url: URL;
  /** The hub at the path of the request. */
  readonly hub: NamedHub;
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

const NO_DELETE = "Cannot terminate this connection using the DELETE endpoint.";

/** Answers the requests to every hub of a server. */
export class Endpoint {
  readonly #parts: TransportParts;
  readonly #places: Places;

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#places = new Places(parts);
  }

  /** Answers a request. */
  async answer(info: HubRequestInfo): Promise<Response> {
    const { request, url, hub, userId, negotiating } = info;
    if (negotiating) {
      if (request.method !== "POST") return plain(405);
      if (!info.admitting) return unavailable();
      const transports = this.#transports(info);
      return negotiate(url, this.#parts, { hub: hub.name, userId, transports });
    }
    switch (request.method) {
      case "GET":
        if (acceptsEventStream(request)) {
          return this.#withSession(info, "ServerSentEvents", this.#eventStream);
        }
        if (isWebSocket(request)) return this.#webSocket(info);
        return uncached(await this.#withSession(info, "LongPolling", this.#poll));
      case "POST":
        return this.#withSession(info, undefined, this.#post);
      case "DELETE":
        return this.#withSession(info, undefined, this.#delete);
      default:
        return plain(405);
    }
  }

  async #webSocket(info: HubRequestInfo): Promise<Response> {
    const { request, hub } = info;
    const { table, options } = this.#parts;
    if (!mayOpenWebSocket(request, options)) return otherSite(request, this.#parts.limitedLog);
    const found = connectionToken(info.url) === "" ? undefined : this.#find(info, "WebSockets");
    const session = found instanceof Promise ? await found : found;
    if (session instanceof Response) return session;
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

  #eventStream(info: HubRequestInfo, session: Session): Response {
    const refusal = this.#refusal(info, "ServerSentEvents", session);
    if (refusal !== undefined) return refusal;
    const stream = new EventStream(session, this.#parts);
    return stream.open((pipe) => connect(info, session, pipe, new RequestCopy(info.request)));
  }

  #poll(info: HubRequestInfo, session: Session): Response | Promise<Response> {
    const refusal = this.#refusal(info, "LongPolling", session);
    if (refusal !== undefined) return refusal;
    if (session.pipe instanceof LongPolling) return session.pipe.poll(signalOf(info));
    const polling = new LongPolling(session, this.#parts);
    return polling.open((pipe) => connect(info, session, pipe, new RequestCopy(info.request)));
  }

  async #post(info: HubRequestInfo, session: Session): Promise<Response> {
    if (session.transport === "WebSockets") {
      return plain(405, "POST requests are not allowed for WebSocket connections.");
    }
    if (!session.belongsTo(info.userId)) return otherUser();
    const { options: { maximumPostsPerConnection }, limitedLog } = this.#parts;
    const status = await session.posts.read(info.request, maximumPostsPerConnection);
    if (status === 429) tooManyPosts(maximumPostsPerConnection, limitedLog);
    return plain(status);
  }

  #delete(info: HubRequestInfo, session: Session): Response {
    if (session.transport !== "LongPolling") return plain(400, NO_DELETE);
    if (!session.belongsTo(info.userId)) return otherUser();
    this.#parts.table.dispose(session);
    return plain(202);
  }

  /** Answers a request with the session that it names. */
  #withSession(
    info: HubRequestInfo,
    transport: TransportName | undefined,
    answer: (info: HubRequestInfo, session: Session) => Response | Promise<Response>,
  ): Response | Promise<Response> {
    const found = this.#find(info, transport);
    const go = (found: Session | Response) =>
      found instanceof Response ? found : answer.call(this, info, found);
    return found instanceof Promise ? found.then(go) : go(found);
  }

  /**
   * The session that a request names, or the answer if there is none. A request that may open `transport`, or
   * a POST, begins the connection of a fresh token.
   */
  #find(
    info: HubRequestInfo,
    transport?: TransportName,
  ): Session | Response | Promise<Session | Response> {
    const { request, url, hub } = info;
    const token = connectionToken(url);
    if (token === "") return info.admitting ? plain(400, "Connection ID required") : unavailable();
    const place = this.#places.find(hub, token);
    if (place.at === "here" && place.session.transport !== undefined) return place.session;
    if (!info.admitting) return unavailable();
    if (place.at !== "fresh") return begunOrAnswer(info, place, transport);
    if (request.method === "DELETE") return place.asks ? noConnection() : plain(400, NO_DELETE);
    const refusal = transport && this.#refusal(info, transport);
    if (refusal !== undefined) return refusal;
    if (!place.token.admits(info.userId)) return otherUser();
    const begun = place.begin();
    return begun instanceof Promise
      ? begun.then((begun) => begunOrAnswer(info, begun, transport))
      : begunOrAnswer(info, begun, transport);
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

/** The session of a connection that is here, or the answer to a request for another one. */
function begunOrAnswer(
  info: HubRequestInfo,
  begun: Begun,
  transport: TransportName | undefined,
): Session | Response {
  // The server may have begun to drain while another node was asked.
  if (begun.at === "unknown" || !info.admitting) return unavailable();
  return begun.at === "here" ? begun.session : noConnection(transport);
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
