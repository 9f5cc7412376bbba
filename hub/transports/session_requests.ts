/**
 * Requests to a connection of this node that are neither polls nor open a transport.
 *
 * @module
 */
import type { TransportParts } from "./parts.ts";
import { otherUser, tooManyPosts } from "./refusals.ts";
import { plain } from "./responses.ts";
import type { Session } from "./session.ts";

/** The text of the answer to a DELETE that ends nothing. */
export const NO_DELETE = "Cannot terminate this connection using the DELETE endpoint.";

/** The messages of a client, as they come by POST. */
export interface Posted {
  readonly userId: string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The most bytes that the body may have. */
  readonly length: number;
}

/** Hands the body of a POST to the hub. */
export async function post(
  { options: { maximumPostsPerConnection }, limitedLog }: TransportParts,
  session: Session,
  { userId, body, length }: Posted,
): Promise<Response> {
  if (session.transport === "WebSockets") {
    return plain(405, "POST requests are not allowed for WebSocket connections.");
  }
  if (!session.belongsTo(userId)) return otherUser();
  const status = await session.posts.read(body, length, maximumPostsPerConnection);
  if (status === 429) tooManyPosts(maximumPostsPerConnection, limitedLog);
  return plain(status);
}

/** Ends a connection by long polling. */
export function deleteSession(
  { table }: TransportParts,
  session: Session,
  userId: string | undefined,
): Response {
  if (session.transport !== "LongPolling") return plain(400, NO_DELETE);
  if (!session.belongsTo(userId)) return otherUser();
  table.dispose(session);
  return plain(202);
}
