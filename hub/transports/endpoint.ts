/**
 * What a hub answers to HTTP. `specs/signalr-wire.md §2 and §4`.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Pipe, PipeOwner, StatefulListener } from "../connection/pipe.ts";
import type { ResolvedTransportOptions, TransportName } from "../options/transports.ts";
import type { AcceptedWebSocket, AcceptWebSocket } from "./acceptor.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { LongPolling } from "./long_polling.ts";
import { negotiate, offered, type OfferedTransport, parameters } from "./negotiate.ts";
import { RequestCopy } from "./request_copy.ts";
import { NO_CONNECTION, plain, uncached } from "./responses.ts";
import { EventStream } from "./server_sent_events.ts";
import type { Session } from "./session.ts";

/** What an {@link Endpoint} needs of the server. */
export interface EndpointParts {
  readonly table: ConnectionTable;
  readonly clock: Clock;
  readonly options:
    & Pick<
      ResolvedTransportOptions,
      | "allowStatefulReconnects"
      | "minimumProtocolVersion"
      | "transports"
      | "webSockets"
      | "longPolling"
    >
    & { readonly transportSendTimeout: number };
}

/** One request to a hub. */
export interface Inquiry {
  readonly request: Request;
  readonly url: URL;
  /** Whether it was to `…/negotiate`. */
  readonly negotiating: boolean;
  /** Who sent it; `undefined` for an anonymous client. */
  readonly userId: string | undefined;
  /** Whether new connections are taken. */
  readonly admitting: boolean;
  /** How the server that the request came to takes WebSockets. */
  readonly accept: AcceptWebSocket;
  /** Takes a new connection. */
  readonly connect: (pipe: Pipe, opening: Opening) => StatefulListener;
}

/** What a transport knows of the connection that it opens. */
export interface Opening {
  /** The public connection id. */
  readonly id: string;
  /** What the client asked; a copy, as the request cannot be read once it was answered. */
  readonly request: RequestCopy;
  /** Whether the client may lose its WebSocket and come back on another. */
  readonly stateful?: boolean;
  /** To be told when the connection is over. */
  readonly owner: PipeOwner;
}

const encoder = new TextEncoder();

/** Answers the requests to every hub of a server. */
export class Endpoint {
  readonly #parts: EndpointParts;
  readonly #offered: readonly OfferedTransport[];

  constructor(parts: EndpointParts) {
    this.#parts = parts;
    this.#offered = offered(parts.options.transports);
  }

  /** Answers a request. */
  async answer(inquiry: Inquiry): Promise<Response> {
    const { request, url, negotiating, admitting } = inquiry;
    const { table, options } = this.#parts;
    if (negotiating) {
      if (request.method !== "POST") return plain(405);
      return admitting ? negotiate(url, table, options, this.#offered) : unavailable();
    }
    switch (request.method) {
      case "GET":
        if (acceptsEventStream(request)) return this.#eventStream(inquiry);
        if (isWebSocket(request)) return this.#webSocket(inquiry);
        return uncached(await this.#poll(inquiry));
      case "POST":
        return await this.#post(inquiry);
      case "DELETE":
        return this.#delete(inquiry);
      default:
        return plain(405);
    }
  }

  #webSocket(inquiry: Inquiry): Response {
    const { request, url, admitting } = inquiry;
    const { table, options } = this.#parts;
    const { allowedOrigins } = options.webSockets;
    const origin = request.headers.get("origin");
    if (allowedOrigins !== undefined && origin !== null && !allowedOrigins.has(origin)) {
      return new Response(null, { status: 403 });
    }
    const token = connectionToken(url);
    const session = token === "" ? undefined : table.find(token);
    if (token !== "" && session === undefined) {
      // Without a content type, unlike the other transports' answer.
      return admitting
        ? new Response(encoder.encode(NO_CONNECTION), { status: 404 })
        : unavailable();
    }
    const returning = session?.returning?.isStateful === true ? session.returning : undefined;
    if (returning !== undefined && session?.belongsTo(inquiry.userId) === false) return otherUser();
    const refusal = returning ? undefined : this.#refusal(inquiry, "WebSockets", session);
    if (refusal !== undefined) return refusal;
    const copy = new RequestCopy(request);
    let accepted: AcceptedWebSocket;
    try {
      accepted = inquiry.accept(request);
    } catch {
      return plain(400, "The request is not a valid WebSocket opening");
    }
    if (returning !== undefined) {
      accepted.attachWhenOpen((pipe) => returning.reattach(pipe));
      return accepted.response;
    }
    const attached = session ?? table.create();
    table.attach(attached, "WebSockets");
    const { id, stateful } = attached;
    const opening = { id, request: copy, stateful, owner: attached };
    accepted.attach((pipe) => attached.returning = inquiry.connect(pipe, opening));
    return accepted.response;
  }

  #eventStream(inquiry: Inquiry): Response {
    const { table, options } = this.#parts;
    const session = this.#find(inquiry);
    if (session instanceof Response) return session;
    const refusal = this.#refusal(inquiry, "ServerSentEvents", session);
    if (refusal !== undefined) return refusal;
    const stream = new EventStream(session, table, options.transportSendTimeout);
    const opening = {
      id: session.id,
      request: new RequestCopy(inquiry.request),
      owner: session,
    };
    return stream.open((pipe) => inquiry.connect(pipe, opening));
  }

  #poll(inquiry: Inquiry): Response | Promise<Response> {
    const { table, clock, options } = this.#parts;
    const session = this.#find(inquiry);
    if (session instanceof Response) return session;
    const refusal = this.#refusal(inquiry, "LongPolling", session);
    if (refusal !== undefined) return refusal;
    const { attachment } = session;
    if (attachment instanceof LongPolling) return attachment.poll(inquiry.request.signal);
    const polling = new LongPolling(session, {
      table,
      clock,
      pollTimeout: options.longPolling.pollTimeout,
      sendTimeout: options.transportSendTimeout,
    });
    const opening = {
      id: session.id,
      request: new RequestCopy(inquiry.request),
      owner: session,
    };
    return polling.open((pipe) => inquiry.connect(pipe, opening));
  }

  async #post(inquiry: Inquiry): Promise<Response> {
    const session = this.#find(inquiry);
    if (session instanceof Response) return session;
    if (session.transport === "WebSockets") {
      return plain(405, "POST requests are not allowed for WebSocket connections.");
    }
    if (!session.belongsTo(inquiry.userId)) return otherUser();
    return plain(await session.inlet.take(inquiry.request));
  }

  #delete(inquiry: Inquiry): Response {
    const session = this.#find(inquiry);
    if (session instanceof Response) return session;
    if (session.transport !== "LongPolling") {
      return plain(400, "Cannot terminate this connection using the DELETE endpoint.");
    }
    if (!session.belongsTo(inquiry.userId)) return otherUser();
    this.#parts.table.dispose(session);
    return plain(202);
  }

  /** The session that a request names, or what to answer instead. */
  #find({ url, admitting }: Inquiry): Session | Response {
    const token = connectionToken(url);
    if (token === "") return admitting ? plain(400, "Connection ID required") : unavailable();
    const session = this.#parts.table.find(token);
    if (session?.transport === undefined && !admitting) return unavailable();
    return session ?? plain(404, NO_CONNECTION);
  }

  /** Why `transport` cannot be attached to a session, or to a new one. §4.1 */
  #refusal(inquiry: Inquiry, transport: TransportName, session?: Session): Response | undefined {
    if (!this.#parts.options.transports.includes(transport)) {
      return plain(404, `${transport} transport not supported by this end point type`);
    }
    const attached = session?.transport;
    if (attached !== undefined && attached !== transport) {
      return plain(400, "Cannot change transports mid-connection");
    }
    // Only polls may follow one another.
    if (attached !== undefined && transport !== "LongPolling") return plain(409);
    if (session?.belongsTo(inquiry.userId) === false) return otherUser();
    return attached === undefined && !inquiry.admitting ? unavailable() : undefined;
  }
}

/** As upstream: an id that is given twice is one that does not exist. */
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

function unavailable(): Response {
  return new Response(null, { status: 503 });
}

function otherUser(): Response {
  return plain(403, "The user associated with this connection changed.");
}
