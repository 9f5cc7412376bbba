/** The answer to a request for a connection that does not exist. */
export const NO_CONNECTION = "No Connection with that ID";

/** An answer of a status and perhaps a text, as upstream makes it. */
export function plain(status: number, text?: string): Response {
  return new Response(text ?? null, { status, headers: { "content-type": "text/plain" } });
}

/** Forbids caching of the answer to a poll, errors included. `specs/signalr-wire.md §4.4`. */
export function uncached(response: Response): Response {
  response.headers.set("cache-control", "no-cache, no-store");
  response.headers.set("pragma", "no-cache");
  response.headers.set("expires", "Thu, 01 Jan 1970 00:00:00 GMT");
  return response;
}
