import type { TransportName } from "../options/transports.ts";

const NO_CONNECTION = "No Connection with that ID";
const NO_CONNECTION_BYTES = new TextEncoder().encode(NO_CONNECTION);

/** An answer of a status and perhaps a text, as upstream makes it. */
export function plain(status: number, text?: string): Response {
  return new Response(text ?? null, { status, headers: { "content-type": "text/plain" } });
}

/** The answer to a request for a connection that does not exist. */
export function noConnection(transport?: TransportName): Response {
  // As upstream: that to a WebSocket has no content type.
  if (transport === "WebSockets") return new Response(NO_CONNECTION_BYTES, { status: 404 });
  return plain(404, NO_CONNECTION);
}

/** Forbids caching of the answer to a poll, errors included. `specs/signalr-wire.md §4.4`. */
export function uncached(response: Response): Response {
  response.headers.set("cache-control", "no-cache, no-store");
  response.headers.set("pragma", "no-cache");
  response.headers.set("expires", "Thu, 01 Jan 1970 00:00:00 GMT");
  return response;
}
