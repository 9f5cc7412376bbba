import { inRange, inRanges, MAXIMUM } from "./range.ts";

/** The name of a transport on the wire; `specs/signalr-wire.md §1`. */
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
   * The origins whose pages may open a WebSocket, such as `https://app.example`; other origins get 403.
   * By default these are the origins of `cors` and the server's own: the host of `Origin` is the one in
   * `Host` or `X-Forwarded-Host`. A list stands in place of both. `"*"` allows every origin: a page may
   * open a WebSocket to any site, and the browser sends the cookies of that site. A request without
   * `Origin` does not come from a browser and passes.
   *
   * @default {the server's own and those of cors}
   */
  readonly allowedOrigins?: readonly string[] | "*";
}

/** Options of the long-polling transport; all have defaults. Durations are milliseconds. */
export interface LongPollingOptions {
  /**
   * How long a poll waits for a message, 1 to 2,147,483,647. Clients give up after 100 s, and proxies
   * often after 60 s. Checked once a second.
   *
   * @default {90000}
   */
  readonly pollTimeout?: number;
}

/** The pages of other origins that may use the hubs. `specs/signalr-wire.md §5`. */
export interface CorsOptions {
  /** The origins, such as `https://app.example`; `"*"` for every origin, without credentials. */
  readonly origins: readonly string[] | "*";
  /**
   * Whether requests from these origins may carry cookies. The official client needs it unless its
   * `withCredentials` is false. By default true for a list and false for `"*"`.
   *
   * @default {true for a list}
   */
  readonly credentials?: boolean;
}

/** The options of transports. Durations are milliseconds. */
export interface TransportOptions {
  /**
   * Whether clients that ask for it may lose their WebSocket and go on with another, within
   * `disconnectTimeout`, without losing a message.
   *
   * @default {false}
   */
  readonly allowStatefulReconnects?: boolean;
  /**
   * How many POST requests of one connection may be under way, 1 to 1,000,000; further requests get 429.
   *
   * @default {100}
   */
  readonly maximumPostsPerConnection?: number;
  /**
   * The transports that clients may use; other transports are refused with 404.
   *
   * @default {all three}
   */
  readonly transports?: readonly TransportName[];
  /** For WebSockets alone. */
  readonly webSockets?: WebSocketOptions;
  /** For long polling alone. */
  readonly longPolling?: LongPollingOptions;
  /**
   * The pages of other origins that may use the hubs; without it none.
   *
   * @default {none}
   */
  readonly cors?: CorsOptions;
}

/** {@link TransportOptions} with their defaults. */
export interface ResolvedTransportOptions
  extends Required<Omit<TransportOptions, "webSockets" | "longPolling" | "cors">> {
  readonly webSockets: ResolvedWebSocketOptions;
  readonly longPolling: Required<LongPollingOptions>;
  readonly cors: ResolvedCorsOptions | undefined;
}

/** {@link WebSocketOptions}, checked. */
export interface ResolvedWebSocketOptions {
  /** `undefined` for the server's own origin and the origins of `cors`. */
  readonly allowedOrigins: ReadonlySet<string> | "*" | undefined;
}

/** {@link CorsOptions}, checked and completed. */
export interface ResolvedCorsOptions {
  readonly origins: ReadonlySet<string> | "*";
  readonly credentials: boolean;
}

/** Checks the options of transports and fills in defaults; throws as `resolveOptions`. */
export function resolveTransports(options: TransportOptions): ResolvedTransportOptions {
  const { allowStatefulReconnects = false, maximumPostsPerConnection } = options;
  const { webSockets: { allowedOrigins } = {}, longPolling: { pollTimeout = 90_000 } = {} } =
    options;
  return {
    allowStatefulReconnects,
    ...inRanges({ maximumPostsPerConnection }, {
      maximumPostsPerConnection: [1, 1_000_000, 100],
    }),
    transports: offered(options.transports),
    webSockets: {
      allowedOrigins: allowedOrigins === "*"
        ? "*"
        : allowedOrigins && originSet("webSockets.allowedOrigins", allowedOrigins),
    },
    longPolling: { pollTimeout: inRange("longPolling.pollTimeout", pollTimeout, 1, MAXIMUM) },
    cors: resolveCors(options.cors),
  };
}

/** The served transports, in the order of {@link TRANSPORT_NAMES}. */
function offered(names: readonly TransportName[] = TRANSPORT_NAMES): readonly TransportName[] {
  if (!Array.isArray(names)) throw new TypeError("Cannot use transports: it is not an array");
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

function resolveCors(options: CorsOptions | undefined): ResolvedCorsOptions | undefined {
  if (options === undefined) return undefined;
  const { origins, credentials = origins !== "*" } = options;
  if (origins !== "*") return { origins: originSet("cors.origins", origins), credentials };
  // Any page could act as the logged-in user.
  if (credentials) {
    throw new TypeError('Cannot use cors: origins "*" and credentials exclude each other');
  }
  return { origins, credentials };
}

function originSet(option: string, origins: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(origins)) throw new TypeError(`Cannot use ${option}: it is not an array`);
  for (const origin of origins) {
    if (isOrigin(origin)) continue;
    throw new TypeError(
      `Cannot use ${option}: ${
        JSON.stringify(origin)
      } is not an origin such as "https://app.example"`,
    );
  }
  return new Set(origins);
}

/** Whether `text` is an origin as browsers write it: a scheme, a host, and a port unless it is the default. */
function isOrigin(text: unknown): boolean {
  // A wildcard is valid in a URL, but would never match.
  if (typeof text !== "string" || text.includes("*") || !URL.canParse(text)) return false;
  const { origin, protocol, host } = new URL(text);
  // URLs with schemes of applications, such as `tauri://localhost`, have the origin "null" in `URL`.
  return text === (origin === "null" ? `${protocol}//${host}` : origin);
}
