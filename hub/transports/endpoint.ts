/**
 * What a hub answers to HTTP. `specs/signalr-wire.md §2 and §4.1`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { ConnectionTable, TableEntry } from "./connection_table.ts";
import { negotiate, parameters } from "./negotiate.ts";
import { type AcceptedWebSocket, acceptWebSocket } from "./websocket.ts";

/** What an endpoint needs of the server. */
export interface EndpointParts {
  readonly table: ConnectionTable;
  readonly minimumProtocolVersion: number;
  /** Takes a new connection. */
  readonly connect: (pipe: Pipe, opening: Opening) => PipeListener;
}

/** What a transport knows of the connection that it opens. */
export interface Opening {
  /** The public connection id. */
  readonly id: string;
  readonly url: string;
  /** A copy: the request cannot be read once its socket is there. */
  readonly headers: Headers;
  /** To be called when the connection is over. */
  ended(): void;
}

const encoder = new TextEncoder();

/** Answers a request to a hub's path; `negotiating` is whether it was to `…/negotiate`. */
export function answer(
  request: Request,
  url: URL,
  negotiating: boolean,
  parts: EndpointParts,
): Response {
  const { method } = request;
  if (negotiating) {
    return method === "POST"
      ? negotiate(url, parts.table, parts.minimumProtocolVersion)
      : plain(405);
  }
  switch (method) {
    case "GET":
      return isWebSocket(request) && !acceptsEventStream(request)
        ? webSocket(request, url, parts)
        : otherTransport(request, url, parts.table);
    case "POST":
      return found(
        url,
        parts.table,
        (entry) =>
          entry.active
            ? plain(405, "POST requests are not allowed for WebSocket connections.")
            : plain(404, "LongPolling transport not supported by this end point type"),
      );
    case "DELETE":
      return found(
        url,
        parts.table,
        () => plain(400, "Cannot terminate this connection using the DELETE endpoint."),
      );
    default:
      return plain(405);
  }
}

function webSocket(request: Request, url: URL, { table, connect }: EndpointParts): Response {
  const token = connectionToken(url);
  const entry = token === "" ? table.create() : table.find(token);
  // Without a content type, unlike the other transports' answer.
  if (entry === undefined) return new Response(encoder.encode(NO_CONNECTION), { status: 404 });
  if (entry.active) return plain(409);
  const opening: Opening = {
    id: entry.id,
    url: request.url,
    headers: new Headers(request.headers),
    ended: () => table.remove(entry),
  };
  let accepted: AcceptedWebSocket;
  try {
    accepted = acceptWebSocket(request);
  } catch {
    if (token === "") table.remove(entry);
    return plain(400, "The request is not a valid WebSocket opening");
  }
  table.activate(entry);
  accepted.attach((pipe) => connect(pipe, opening));
  return accepted.response;
}

/** Event streams and polls are refused as upstream refuses a transport that is switched off. */
function otherTransport(request: Request, url: URL, table: ConnectionTable): Response {
  const transport = acceptsEventStream(request) ? "ServerSentEvents" : "LongPolling";
  const response = found(
    url,
    table,
    (entry) =>
      entry.active
        ? plain(400, "Cannot change transports mid-connection")
        : plain(404, `${transport} transport not supported by this end point type`),
  );
  if (transport === "LongPolling") {
    response.headers.set("cache-control", "no-cache, no-store");
    response.headers.set("pragma", "no-cache");
    response.headers.set("expires", "Thu, 01 Jan 1970 00:00:00 GMT");
  }
  return response;
}

const NO_CONNECTION = "No Connection with that ID";

function found(url: URL, table: ConnectionTable, then: (entry: TableEntry) => Response): Response {
  const token = connectionToken(url);
  if (token === "") return plain(400, "Connection ID required");
  const entry = table.find(token);
  return entry === undefined ? plain(404, NO_CONNECTION) : then(entry);
}

function connectionToken(url: URL): string {
  return parameters(url, "id")[0] ?? "";
}

function isWebSocket(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Entry by entry, in any case, without parameters. */
function acceptsEventStream(request: Request): boolean {
  const accept = request.headers.get("accept") ?? "";
  return accept.split(",").some((entry) => entry.trim().toLowerCase() === "text/event-stream");
}

function plain(status: number, text?: string): Response {
  return new Response(text ?? null, { status, headers: { "content-type": "text/plain" } });
}
