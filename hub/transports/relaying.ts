import type { ServedRequest, Serving } from "../relay/inward.ts";
import type { Homes } from "../relay/homes.ts";
import { Link } from "../connection/link.ts";
import type { Relay, Relayed } from "../relay/relay.ts";
import type { RelayTerms } from "../relay/relay_terms.ts";
import type { TransportName } from "../options/transports.ts";
import type { HubRequestInfo } from "./hub_request.ts";
import { LongPolling } from "./long_polling.ts";
import type { TransportParts } from "./parts.ts";
import { isWatched } from "./reading.ts";
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

const VERBS = { GET: "poll", POST: "post", DELETE: "delete" } as const;

/** Hands requests for connections of other nodes on, and answers those that other nodes hand on. */
export class Relaying {
  readonly #parts: RelayingParts;

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

  /** Opens the WebSocket of a client that comes back, if its connection is on another node. */
  async splice(info: HubRequestInfo, place: RelayedPlace): Promise<Response> {
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
