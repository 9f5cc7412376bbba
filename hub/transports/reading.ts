import type { AcceptWebSocket } from "./acceptor.ts";
import { parameters } from "./negotiate.ts";
import { acceptWebSocket } from "./websocket.ts";

/**
 * Whether the signal of a request says at once that the client has gone. Deno prints a warning for each
 * process that reads the signal of a request of its own server, and aborts it after the answer too.
 */
export function isWatched(
  { accept }: { readonly accept: AcceptWebSocket | undefined },
): boolean {
  return accept !== acceptWebSocket;
}

/** The token in a request, or nothing. As upstream: an id that is given twice does not exist. */
export function connectionToken(url: URL): string {
  return parameters(url, "id").join(",");
}

/** Whether a request wants to become a WebSocket. */
export function isWebSocket(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Whether a request accepts an event stream: entry by entry, in any case, without parameters. */
export function acceptsEventStream(request: Request): boolean {
  const accept = request.headers.get("accept")?.split(",");
  return accept?.some((entry) => entry.trim().toLowerCase() === "text/event-stream") ?? false;
}
