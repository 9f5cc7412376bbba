/**
 * Lets pages of other origins read answers. WebSockets are not subject to these rules.
 * `specs/signalr-wire.md §5`.
 *
 * @module
 */
import type { ResolvedCorsOptions } from "../options/transports.ts";

/** The methods that clients use: `specs/signalr-wire.md §2`. */
const METHODS = "GET, POST, DELETE";

/** The answer to a preflight request of a browser; `undefined` if the request is not a preflight. */
export function preflight(request: Request, options: ResolvedCorsOptions): Response | undefined {
  const { headers } = request;
  if (request.method !== "OPTIONS" || !headers.has("access-control-request-method")) return;
  const allowed = corsHeaders(headers.get("origin"), options);
  if (allowed.has("access-control-allow-origin")) {
    allowed.set("access-control-allow-methods", METHODS);
    const wanted = headers.get("access-control-request-headers");
    if (wanted !== null) allowed.set("access-control-allow-headers", wanted);
  }
  return new Response(null, { status: 204, headers: allowed });
}

/** Adds the headers that the origin of `request` needs to read `response`, which is the server's own. */
export function allowOrigin(
  request: Request,
  response: Response,
  options: ResolvedCorsOptions,
): Response {
  // The answer that opens a WebSocket has headers that cannot be changed.
  if (response.status === 101) return response;
  const { headers } = response;
  for (const [name, value] of corsHeaders(request.headers.get("origin"), options)) {
    const varies = name === "vary" ? headers.get(name) : null;
    headers.set(name, varies === null ? value : `${varies}, ${value}`);
  }
  return response;
}

/**
 * A copy of a response of the application, with headers that can be changed. The application may give
 * the same response again, and the headers of one that came from `fetch()` are fixed.
 */
export function copyOf(response: Response): Response {
  const { status, statusText, headers, body } = response.clone();
  return new Response(body, { status, statusText, headers });
}

function corsHeaders(
  origin: string | null,
  { origins, credentials }: ResolvedCorsOptions,
): Headers {
  if (origins === "*") return new Headers({ "access-control-allow-origin": "*" });
  const headers = new Headers({ vary: "Origin" });
  if (origin === null || !origins.has(origin)) return headers;
  headers.set("access-control-allow-origin", origin);
  if (credentials) headers.set("access-control-allow-credentials", "true");
  return headers;
}
