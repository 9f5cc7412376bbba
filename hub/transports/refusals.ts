/**
 * Answers to requests that are not served, and log entries about them.
 *
 * @module
 */
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { TransportName } from "../options/transports.ts";
import { plain } from "./responses.ts";
import type { Session } from "./session.ts";

/** The longest header that is logged. */
const MAXIMUM_LENGTH = 256;

/** A request that attaches a transport. */
export interface Attachment {
  /** The transports that the server can serve. */
  readonly transports: readonly TransportName[];
  /** The session that the request names; absent if a new one would begin. */
  readonly session: Session | undefined;
  readonly userId: string | undefined;
  /** Whether the server takes new connections. */
  readonly admitting: boolean;
}

/** The answer if `transport` cannot be attached to a session, or to a new one. §4.1 */
export function refusal(
  transport: TransportName,
  { transports, session, userId, admitting }: Attachment,
): Response | undefined {
  if (!transports.includes(transport)) {
    return plain(404, `${transport} transport not supported by this end point type`);
  }
  const attached = session?.transport;
  if (attached !== undefined && attached !== transport) {
    return plain(400, "Cannot change transports mid-connection");
  }
  // Only polls may follow each other.
  if (attached !== undefined && transport !== "LongPolling") return plain(409);
  if (session?.belongsTo(userId) === false) return otherUser();
  return attached === undefined && !admitting ? unavailable() : undefined;
}

/** The server takes no new connections. */
export function unavailable(): Response {
  return new Response(null, { status: 503 });
}

/** The connection belongs to another user. */
export function otherUser(): Response {
  return plain(403, "The user associated with this connection changed.");
}

/** The page that asks for a WebSocket comes from another site. */
export function otherSite({ headers }: Request, log: LimitedLog): Response {
  const quoted = (name: string) => JSON.stringify(headers.get(name)?.slice(0, MAXIMUM_LENGTH));
  const text = `A page of the origin ${quoted("origin")} may open no WebSocket to the host ` +
    `${quoted("host")}: if the page is yours, add its origin to cors or webSockets.allowedOrigins`;
  log.log("warn", "WebSocket of another site", text);
  return new Response(null, { status: 403 });
}

/** Logs that a client has more POST requests under way than the option allows. */
export function tooManyPosts(maximum: number, log: LimitedLog): void {
  const text = `A client has ${maximum} POST requests under way, as many as ` +
    "maximumPostsPerConnection allows: a further one is refused";
  log.log("warn", "maximumPostsPerConnection", text);
}
