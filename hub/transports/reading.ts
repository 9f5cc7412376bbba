import { parameters } from "./negotiate.ts";

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
