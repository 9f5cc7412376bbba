import type { ServedRequest, Serving } from "../relay/inward.ts";
import type { Homes } from "../relay/homes.ts";
import type { Relay } from "../relay/relay.ts";
import type { TransportName } from "../options/transports.ts";
import type { HubRequestInfo } from "./hub_request.ts";
import { LongPolling } from "./long_polling.ts";
import type { TransportParts } from "./parts.ts";
import { isWatched } from "./reading.ts";
import { refusal, unavailable } from "./refusals.ts";
import { noConnection } from "./responses.ts";
import { deleteSession, post } from "./session_requests.ts";
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
    { token, node, mayBegin }: RelayedPlace,
    transport: TransportName | undefined,
  ): Promise<Response> {
    const { request, hub, userId, expires } = info;
    const { homes, relay } = this.#parts;
    const { method, body, headers } = request;
    const answer = await relay.request({
      connectionId: token.id,
      hub: hub.name,
      home: node,
      ...homes.wanted(token),
      mayBegin,
      verb: transport === "ServerSentEvents" ? "events" : VERBS[method as keyof typeof VERBS],
      userId,
      expires,
      body,
      length: body === null ? undefined : announcedBytes(headers),
      signal: isWatched(info) ? request.signal : undefined,
    });
    if (answer instanceof Response) return answer;
    // A balancer may send a request again that was answered 503.
    if (answer === "doubtful") return new Response(null, { status: 504 });
    return answer === "nowhere" && info.admitting ? noConnection(transport) : unavailable();
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
        const transport = verb === "poll" ? "LongPolling" : "ServerSentEvents";
        const refused = refusal(transport, asked);
        if (refused !== undefined) return { ...nothing, response: refused };
        if (!(session.pipe instanceof LongPolling)) return undefined;
        const response = session.pipe.poll(signal, watched);
        return { response, lost: () => table.dispose(session) };
      }
    }
  }
}

/** The announced length of a body; over HTTP/2 it may have none. */
function announcedBytes(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
