/**
 * The options that belong to one transport, or to browsers on other origins.
 *
 * @module
 */
import { inRange, MAXIMUM } from "./range.ts";

/** A way between client and server, as it is called on the wire; `specs/signalr-wire.md §1`. */
export type TransportName = "WebSockets" | "ServerSentEvents" | "LongPolling";

/** Every transport in the order in which clients try them. */
export const TRANSPORT_NAMES: readonly TransportName[] = [
  "WebSockets",
  "ServerSentEvents",
  "LongPolling",
];

/** Options of the WebSocket transport; all have defaults. */
export interface WebSocketOptions {
  /**
   * The origins whose pages may open a WebSocket, such as `https://app.example`; others are answered
   * 403. A browser opens a WebSocket to any site and sends that site's cookies along, so list your own
   * if cookies say who somebody is. A request without `Origin` comes from no browser and passes.
   *
   * @default {every origin}
   */
  readonly allowedOrigins?: readonly string[];
}

/** Options of the long-polling transport; all have defaults. Durations are milliseconds. */
export interface LongPollingOptions {
  /**
   * How long a poll waits for something to answer it with, 1 to 2,147,483,647. Clients give up after
   * 100 s, and proxies often after 60 s. Looked at once a second.
   *
   * @default {90000}
   */
  readonly pollTimeout?: number;
}

/** Which pages of other origins may use the hubs. `specs/signalr-wire.md §5`. */
export interface CorsOptions {
  /** The origins, such as `https://app.example`; `"*"` for every one, then without credentials. */
  readonly origins: readonly string[] | "*";
  /**
   * Whether their requests may carry cookies; the official client wants it unless `withCredentials` is
   * false. By default true for a list and false for `"*"`.
   *
   * @default {true for a list}
   */
  readonly credentials?: boolean;
}

/** {@link WebSocketOptions}, checked. */
export interface ResolvedWebSocketOptions {
  /** Absent if every origin may. */
  readonly allowedOrigins: ReadonlySet<string> | undefined;
}

/** {@link CorsOptions}, checked and completed. */
export interface ResolvedCorsOptions {
  readonly origins: ReadonlySet<string> | "*";
  readonly credentials: boolean;
}

/**
 * Checks which transports are served; the result is in the order of {@link TRANSPORT_NAMES}.
 *
 * @throws {TypeError} naming one that does not exist.
 */
export function resolveTransports(
  names: readonly TransportName[] = TRANSPORT_NAMES,
): readonly TransportName[] {
  if (!Array.isArray(names)) throw new TypeError("Cannot use transports: it is no list");
  const unknown = names.find((name) => !TRANSPORT_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot use transports: ${JSON.stringify(unknown)} is not one of ${
        TRANSPORT_NAMES.join(", ")
      }`,
    );
  }
  return TRANSPORT_NAMES.filter((name) => names.includes(name));
}

/**
 * Checks the options of WebSockets.
 *
 * @throws {TypeError} if an origin is none.
 */
export function resolveWebSockets(
  { allowedOrigins }: WebSocketOptions = {},
): ResolvedWebSocketOptions {
  return {
    allowedOrigins: allowedOrigins === undefined
      ? undefined
      : originSet("webSockets.allowedOrigins", allowedOrigins),
  };
}

/**
 * Checks and completes the options of long polling.
 *
 * @throws {RangeError} naming the option, its value and its range.
 */
export function resolveLongPolling(
  { pollTimeout = 90_000 }: LongPollingOptions = {},
): Required<LongPollingOptions> {
  return { pollTimeout: inRange("longPolling.pollTimeout", pollTimeout, 1, MAXIMUM) };
}

/**
 * Checks and completes what pages of other origins may do; `undefined` if nothing.
 *
 * @throws {TypeError} if an origin is none, or every origin were to have credentials.
 */
export function resolveCors(options: CorsOptions | undefined): ResolvedCorsOptions | undefined {
  if (options === undefined) return undefined;
  const { origins, credentials = origins !== "*" } = options;
  if (origins !== "*") return { origins: originSet("cors.origins", origins), credentials };
  // Any page at all could act as whoever is logged in.
  if (credentials) {
    throw new TypeError('Cannot use cors: origins "*" and credentials exclude each other');
  }
  return { origins, credentials };
}

function originSet(option: string, origins: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(origins)) throw new TypeError(`Cannot use ${option}: it is no list`);
  for (const origin of origins) {
    if (isOrigin(origin)) continue;
    throw new TypeError(
      `Cannot use ${option}: ${JSON.stringify(origin)} is no origin such as "https://app.example"`,
    );
  }
  return new Set(origins);
}

/** Whether a browser would write it so: the scheme, the host, and a port that is not the usual one. */
function isOrigin(text: unknown): boolean {
  // A wildcard would parse, and never match.
  if (typeof text !== "string" || text.includes("*") || !URL.canParse(text)) return false;
  const { origin, protocol, host } = new URL(text);
  // URLs with schemes of applications, as `tauri://localhost`, have no origin of their own here.
  return text === (origin === "null" ? `${protocol}//${host}` : origin);
}
