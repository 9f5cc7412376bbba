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

/** Adds the headers that the origin of `request` needs to read `response`. */
export function allowOrigin(
  request: Request,
  response: Response,
  options: ResolvedCorsOptions,
): Response {
  // The answer that opens a WebSocket must not be replaced.
  if (response.status === 101) return response;
  const added = corsHeaders(request.headers.get("origin"), options);
  try {
    for (const [name, value] of added) response.headers.append(name, value);
    return response;
  } catch {
    // The headers of an answer that came from `fetch()` cannot be changed.
    const { status, statusText, body } = response;
    const headers = new Headers(response.headers);
    for (const [name, value] of added) headers.append(name, value);
    return new Response(body, { status, statusText, headers });
  }
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
