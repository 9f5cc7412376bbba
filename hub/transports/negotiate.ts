/**
 * The request that reserves a connection. `specs/signalr-wire.md §3`.
 *
 * @module
 */
import type { ConnectionTable } from "./connection_table.ts";

const MAXIMUM_VERSION = 1;

const TRANSPORTS = [{ transport: "WebSockets", transferFormats: ["Text", "Binary"] }];

/** Answers `POST …/negotiate`. */
export function negotiate(
  url: URL,
  table: ConnectionTable,
  minimumVersion: number,
): Response {
  const version = requestedVersion(url);
  if (version === undefined) {
    return json({ error: "The client requested a non-integer protocol version." });
  }
  if (version < minimumVersion) {
    return json({
      error:
        `The client requested version '${version}', but the server does not support this version.`,
    });
  }
  const negotiateVersion = Math.min(version, MAXIMUM_VERSION);
  const entry = table.reserve(negotiateVersion);
  if (entry === undefined) return new Response(null, { status: 503 });
  return json({
    negotiateVersion,
    connectionId: entry.id,
    ...(negotiateVersion > 0 ? { connectionToken: entry.token } : undefined),
    availableTransports: TRANSPORTS,
  });
}

/** The version asked for; `undefined` if it is no integer, as also when it is given twice. */
function requestedVersion(url: URL): number | undefined {
  const values = parameters(url, "negotiateVersion");
  const [text] = values;
  if (text === undefined) return 0;
  if (values.length > 1 || !/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  const version = Number(text);
  return Math.abs(version) <= 0x7fffffff ? version : undefined;
}

/** The values of a query parameter; names ignore case, as upstream. */
export function parameters(url: URL, name: string): string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (const [key, value] of url.searchParams) if (key.toLowerCase() === wanted) values.push(value);
  return values;
}

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
}
