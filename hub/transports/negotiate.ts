/**
 * The request that reserves a connection. `specs/signalr-wire.md §3`.
 *
 * @module
 */
import type { TransportName } from "../options/transports.ts";
import type { TokenTerms } from "../relay/tokens.ts";
import type { TransportParts } from "./parts.ts";

/** The version that is spoken. In version 0 the public id would be the secret that requests carry. */
const VERSION = 1;

const TRANSFER_FORMATS: Readonly<Record<TransportName, readonly string[]>> = {
  WebSockets: ["Text", "Binary"],
  ServerSentEvents: ["Text"],
  LongPolling: ["Text", "Binary"],
};

/** The hub that is asked for, the user who asks, and how clients of the hub may connect. */
export interface Offer extends Pick<TokenTerms, "hub" | "userId"> {
  readonly transports: readonly TransportName[];
}

/** Answers `POST …/negotiate`. Nothing is stored: the token says everything. */
export function negotiate(
  url: URL,
  { tokens, options }: Pick<TransportParts, "tokens" | "options">,
  { hub, userId, transports }: Offer,
): Response {
  const version = requestedVersion(url);
  if (version === undefined) {
    return json({ error: "The client requested a non-integer protocol version." });
  }
  if (version < VERSION) {
    return json({
      error:
        `The client requested version '${version}', but the server does not support this version.`,
    });
  }
  const stateful = options.allowStatefulReconnects && asksForStateful(url);
  const { id, token } = tokens.issue({ hub, userId, stateful });
  // JSON leaves out members that are undefined.
  return json({
    useStatefulReconnect: stateful || undefined,
    negotiateVersion: VERSION,
    connectionId: id,
    connectionToken: token,
    availableTransports: transports.map((transport) => ({
      transport,
      transferFormats: TRANSFER_FORMATS[transport],
    })),
  });
}

/** The requested version; `undefined` if it is not an integer or is given twice. */
function requestedVersion(url: URL): number | undefined {
  const values = parameters(url, "negotiateVersion");
  const [text] = values;
  if (text === undefined) return 0;
  if (values.length > 1 || !/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  const version = Number(text);
  return Math.abs(version) <= 0x7fffffff ? version : undefined;
}

/** Whether the value is the word `true`, in any case: `1` is not a boolean to upstream. */
function asksForStateful(url: URL): boolean {
  const values = parameters(url, "useStatefulReconnect");
  return values.length === 1 && values[0]?.trim().toLowerCase() === "true";
}

/** The values of a query parameter; names ignore case, as upstream. */
export function parameters(url: URL, name: string): string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  // An iterator would make an array and an object for each parameter.
  url.searchParams.forEach((value, key) => {
    if (key.toLowerCase() === wanted) values.push(value);
  });
  return values;
}

function json(body: unknown): Response {
  const text = JSON.stringify(body);
  // The text is ASCII, so its length is its number of bytes.
  const headers = { "content-type": "application/json", "content-length": `${text.length}` };
  return new Response(text, { headers });
}
