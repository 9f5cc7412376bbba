/**
 * Answers the HTTP requests to hubs. `specs/signalr-wire.md §2 and §4`.
 *
 * @module
 */
import { Link } from "../connection/link.ts";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { TransportName } from "../options/transports.ts";
import type { ServedRequest, Serving } from "../relay/inward.ts";
import type { AcceptedWebSocket } from "./acceptor.ts";
import type { HubRequestInfo } from "./hub_request.ts";
import { LongPolling } from "./long_polling.ts";
import { negotiate } from "./negotiate.ts";
import { mayOpenWebSocket } from "./origins.ts";
import type { TransportParts } from "./parts.ts";
import { declaredBytes } from "./post_bodies.ts";
import { acceptsEventStream, connectionToken, isWatched, isWebSocket } from "./reading.ts";
import { RequestCopy } from "./request_copy.ts";
import { otherSite, otherUser, refusal, unavailable } from "./refusals.ts";
import { Relaying, type RelayingParts } from "./relaying.ts";
import { noConnection, plain, uncached } from "./responses.ts";
import { EventStream } from "./server_sent_events.ts";
import type { Session } from "./session.ts";
import { deleteSession, NO_DELETE, post } from "./session_requests.ts";
import { type Begun, Places } from "./whereabouts.ts";

/** Answers the requests to every hub of a server. */
export class Endpoint {
  readonly #parts: TransportParts;
  readonly #places: Places;
  readonly #relaying: Relaying;

  constructor(parts: RelayingParts) {
    this.#parts = parts;
    this.#places = new Places(parts);
    this.#relaying = new Relaying(parts);
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
    if (session.pipe instanceof LongPolling) {
      return session.pipe.poll(isWatched(info) ? info.request.signal : undefined);
    }
    const polling = new LongPolling(session, this.#parts);
    return polling.open((pipe) => connect(info, session, pipe, new RequestCopy(info.request)));
  }

  #post(
    { request: { body, headers }, userId }: HubRequestInfo,
    session: Session,
  ): Promise<Response> {
    return post(this.#parts, session, { userId, body, length: declaredBytes(headers) });
  }

  #delete({ userId }: HubRequestInfo, session: Session): Response {
    return deleteSession(this.#parts, session, userId);
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
    if (place.at === "elsewhere") return this.#begunOrAnswer(info, place, transport);
    // It may have begun on a node that has asked the issuer before.
    if (place.at === "fresh" && place.asks && (!info.admitting || request.method === "DELETE")) {
      const { token } = place;
      const relayed = { at: "elsewhere", token, node: undefined, mayBegin: true } as const;
      return this.#begunOrAnswer(info, relayed, transport);
    }
    if (!info.admitting) return unavailable();
    if (place.at !== "fresh") return this.#begunOrAnswer(info, place, transport);
    if (request.method === "DELETE") return plain(400, NO_DELETE);
    const refusal = transport && this.#refusal(info, transport);
    if (refusal !== undefined) return refusal;
    if (!place.token.admits(info.userId)) return otherUser();
    const begun = place.begin();
    return begun instanceof Promise
      ? begun.then((begun) => this.#begunOrAnswer(info, begun, transport))
      : this.#begunOrAnswer(info, begun, transport);
  }

  /** The session of a connection that is here, or the answer to a request for another one. */
  #begunOrAnswer(
    info: HubRequestInfo,
    begun: Begun,
    transport: TransportName | undefined,
  ): Session | Response | Promise<Session | Response> {
    if (begun.at === "elsewhere") {
      if (!begun.token.admits(info.userId)) return otherUser();
      if (transport !== "WebSockets") return this.#relaying.relay(info, begun, transport);
      // Only a client that may come back has another WebSocket.
      // A balancer sends the client of a node that drains to another one, where the connection can stay.
      if (begun.token.stateful && info.accept && info.admitting) {
        return this.#relaying.resume(info, begun);
      }
    }
    // The server may have begun to drain while another node was asked.
    if (begun.at === "unknown" || !info.admitting) return unavailable();
    return begun.at === "here" ? begun.session : noConnection(transport);
  }

  /** Serves a request that another node relays; `undefined` if its connection is not here. */
  serve(request: ServedRequest): Serving | undefined {
    return this.#relaying.serve(request);
  }

  /** The transports that the server of a request can serve, in the order of preference. */
  #transports({ accept }: HubRequestInfo): readonly TransportName[] {
    const { transports } = this.#parts.options;
    return accept === undefined ? transports.filter((name) => name !== "WebSockets") : transports;
  }

  #refusal(
    info: HubRequestInfo,
    transport: TransportName,
    session?: Session,
  ): Response | undefined {
    const { userId, admitting } = info;
    const transports = this.#transports(info);
    return refusal(transport, { transports, session, userId, admitting });
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
