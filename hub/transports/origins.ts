/**
 * Says which pages may open a WebSocket. A browser lets every page do so, and sends the cookies of the
 * site that the page asks.
 *
 * @module
 */
import type { ResolvedTransportOptions } from "../options/transports.ts";

/**
 * Whether the page that asks for a WebSocket may open it. Without a list of origins, pages of the host
 * that they ask may, and pages of the origins of `cors`. A request without `Origin` is from no browser.
 */
export function mayOpenWebSocket(
  { headers }: Pick<Request, "headers">,
  { webSockets: { allowedOrigins }, cors }: Pick<ResolvedTransportOptions, "webSockets" | "cors">,
): boolean {
  const origin = headers.get("origin");
  if (origin === null || allowedOrigins === "*") return true;
  if (allowedOrigins !== undefined) return allowedOrigins.has(origin);
  if (cors?.origins === "*" || cors?.origins.has(origin)) return true;
  return isHost(origin, headers.get("host")) ||
    // From a proxy: a page cannot set this header.
    isHost(origin, headers.get("x-forwarded-host"));
}

/** Whether a page of `origin` came from `host`; the scheme may differ behind a proxy. */
function isHost(origin: string, host: string | null): boolean {
  const [, scheme, page] = /^(https?:)\/\/(.+)$/.exec(origin) ?? [];
  if (host === null || scheme === undefined) return false;
  if (page === host) return true;
  // The host may be in capital letters, or have the default port.
  const url = `${scheme}//${host}`;
  return URL.canParse(url) && new URL(url).host === page;
}
