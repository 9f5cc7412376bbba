import type { ServedRequest, Serving } from "../relay/inward.ts";
import type { Homes } from "../relay/homes.ts";
import { Link, type LinkedConnection } from "../connection/link.ts";
import type { Relay, Relayed } from "../relay/relay.ts";
import type { RelayTerms } from "../relay/relay_terms.ts";
import type { TransportName } from "../options/transports.ts";
import type { HubRequestInfo } from "./hub_request.ts";
import { LongPolling } from "./long_polling.ts";
import type { TransportParts } from "./parts.ts";
import { connectionToken, isWatched } from "./reading.ts";
import { RequestCopy } from "./request_copy.ts";
import { otherUser, refusal, unavailable } from "./refusals.ts";
import { noConnection, plain } from "./responses.ts";
import type { Session } from "./session.ts";
import { deleteSession, post } from "./session_requests.ts";
import { Splice } from "./splice.ts";
import { SplicedPipe } from "./spliced_pipe.ts";
import type { RelayedPlace } from "./whereabouts.ts";

export type { ServedRequest, Serving } from "../relay/inward.ts";

/** The parts of a server that {@link Relaying} needs. */
export interface RelayingParts extends TransportParts {
  readonly relay: Relay;
  readonly homes: Homes;
}

/** How long a connection has to leave its node until its client's WebSocket is spliced, in milliseconds. */
const MOVE_TIMEOUT = 400;

const VERBS = { GET: "poll", POST: "post", DELETE: "delete" } as const;

/** Hands requests for connections of other nodes on, and answers those that other nodes hand on. */
export class Relaying {
  readonly #parts: RelayingParts;
  /** The connections that are to come here, by token: later requests wait with the first. */
  readonly #moving = new Map<string, Promise<"denied" | "unknown" | undefined>>();

  constructor(parts: RelayingParts) {
    this.#parts = parts;
  }

  /** Answers a request for a connection that is on another node, or may be. */
  async relay(
    info: HubRequestInfo,
    place: RelayedPlace,
    transport: TransportName | undefined,
  ): Promise<Response> {
    const { request } = info;
    const { method, body, headers } = request;
    const answer = await this.#ask(info, place, {
      verb: transport === "ServerSentEvents" ? "events" : VERBS[method as keyof typeof VERBS],
      body,
      length: body === null ? undefined : announcedBytes(headers),
      signal: isWatched(info) ? request.signal : undefined,
    });
    return answer instanceof Response ? answer : refused(answer, info, transport);
  }

  /**
   * Answers a client that comes back with a WebSocket, and whose connection is on another node: the connection
   * comes here if it can leave that node at once, else the WebSocket is spliced to it.
   */
  async resume(info: HubRequestInfo, place: RelayedPlace): Promise<Session | Response> {
    const token = connectionToken(info.url);
    const moving = this.#moving.get(token) ?? this.#move(info, token, place);
    this.#moving.set(token, moving);
    const outcome = await moving;
    if (this.#moving.get(token) === moving) this.#moving.delete(token);
    if (outcome === "denied") return otherUser();
    if (outcome === "unknown" || !info.admitting) return unavailable();
    return this.#parts.table.find(info.hub, token) ?? await this.#splice(info, place);
  }

  /** Brings a connection here, if it can leave the other node. */
  async #move(
    info: HubRequestInfo,
    token: string,
    { token: { id } }: RelayedPlace,
  ): Promise<"denied" | "unknown" | undefined> {
    const { clock, homes, options, relay, table } = this.#parts;
    const release = relay.hold({ userId: info.userId, connectionId: id });
    if (release === undefined) return "unknown";
    const session = table.prepare(info.hub, token, { id });
    const request = new RequestCopy(info.request);
    const arrived = (connection: LinkedConnection) => {
      table.arrived(session, connection);
      homes.arrived(id);
    };
    const claim = info.claim({ id, request, owner: session, arrived }, MOVE_TIMEOUT);
    // The time of a claim stands still while the bus is away.
    let isOver = false;
    const timer = clock.after(options.relayTimeout, () => {
      isOver = true;
      claim.abandon();
    });
    const outcome = await claim.outcome;
    timer[Symbol.dispose]();
    release();
    if (outcome === "denied") return outcome;
    return isOver ? "unknown" : undefined;
  }

  /** Opens a WebSocket that is one of a connection of another node. */
  async #splice(info: HubRequestInfo, place: RelayedPlace): Promise<Response> {
    const { request, accept } = info;
    const { scheduler, table, options } = this.#parts;
    const splice = new Splice(scheduler, options.maximumQueuedReceiveBytes);
    const { body } = splice;
    const opening = { verb: "resume", body, length: undefined, signal: undefined } as const;
    const answer = await this.#ask(info, place, opening);
    if (!(answer instanceof Response)) return refused(answer, info, "WebSockets");
    const messages = answer.body;
    if (answer.status !== 200 || messages === null) return answer;
    try {
      const accepted = accept?.(request, table.closing);
      accepted?.connectWhenOpen((pipe) => splice.open(pipe, messages));
      if (accepted !== undefined) return accepted.response;
    } catch {
      // The client is told below.
    }
    await messages.cancel();
    return plain(400, "The request is not a valid WebSocket opening");
  }

  #ask(
    { hub, userId, expires }: HubRequestInfo,
    { token, node, mayBegin }: RelayedPlace,
    terms: Pick<RelayTerms, "verb" | "body" | "length" | "signal">,
  ): Promise<Relayed> {
    const { homes, relay } = this.#parts;
    const place = { connectionId: token.id, hub: hub.name, home: node, mayBegin };
    return relay.request({ ...place, ...homes.wanted(token), userId, expires, ...terms });
  }

  /** Serves a request that another node relays; `undefined` if its connection is not here. */
  serve(request: ServedRequest): Serving | undefined {
    const { connectionId, verb, userId, body, length, signal, watched } = request;
    const { table, options: { transports } } = this.#parts;
    const session = table.withId(connectionId);
    if (session === undefined) return undefined;
    const nothing = { lost() {} };
    const asked = { transports, session, userId, admitting: false };
    switch (verb) {
      case "post":
        return {
          ...nothing,
          response: post(this.#parts, session, { userId, body, length: length ?? Infinity }),
        };
      case "delete":
        return { ...nothing, response: deleteSession(this.#parts, session, userId) };
      default: {
        // The request that opens a transport is one of the client: its headers stay with the node that has it.
        if (session.transport === undefined) return undefined;
        if (verb === "resume") return this.#resume(session, request);
        const transport = verb === "poll" ? "LongPolling" : "ServerSentEvents";
        const refused = refusal(transport, asked);
        if (refused !== undefined) return { ...nothing, response: refused };
        if (!(session.pipe instanceof LongPolling)) return undefined;
        const response = session.pipe.poll(signal, watched);
        return { response, lost: () => table.dispose(session) };
      }
    }
  }

  /** The client of a connection has come back on another node, with the WebSocket that is there. */
  #resume(session: Session, { userId, body }: ServedRequest): Serving {
    const nothing = { lost() {} };
    const { connection } = session;
    if (connection?.isStateful !== true || body === null) {
      return { ...nothing, response: plain(409) };
    }
    if (!session.belongsTo(userId)) return { ...nothing, response: otherUser() };
    const pipe = new SplicedPipe();
    connection.resumeOn(pipe);
    void pipe.connect(new Link(pipe, connection), body);
    return { ...nothing, response: new Response(pipe.body) };
  }
}

/** The answer to a request that no home has answered. */
function refused(
  why: Exclude<Relayed, Response>,
  { admitting }: HubRequestInfo,
  transport: TransportName | undefined,
): Response {
  // A balancer may send a request again that was answered 503.
  if (why === "doubtful") return new Response(null, { status: 504 });
  return why === "nowhere" && admitting ? noConnection(transport) : unavailable();
}

/** The announced length of a body; over HTTP/2 it may have none. */
function announcedBytes(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
