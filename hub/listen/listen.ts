/**
 * Serves hubs on a port that strangers reach: this server limits a message before it is complete, stops
 * reading from clients that send too far ahead, and drops clients that do not read. It also runs on Node
 * and Bun.
 *
 * `Deno.serve(server.fetch)` costs less and has none of these limits; `docs/security.md` compares them.
 *
 * ```ts ignore
 * import { createHubServer, defineHub, openBackplane } from "@hubplane/hubplane";
 * import { listen } from "@hubplane/hubplane/listen";
 *
 * const echo = defineHub({ methods: { echo: (_context, value: unknown) => value } });
 * const server = createHubServer({
 *   hubs: { "/echo": echo },
 *   backplane: await openBackplane("memory:"),
 * });
 * const listener = await listen(server, { port: 8000 });
 * console.log(`Listening on ${listener.url}`);
 * ```
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import { ANSWERER, type Answerer } from "../transports/acceptor.ts";
import { Connections } from "./connections.ts";
import { Handler, type HandlerParts, opensWebSocket } from "./handler.ts";
import { type ListenOptions, type ResolvedListenOptions, resolveListenOptions } from "./options.ts";
import { dial, WATCH_INTERVAL, Watchdog } from "./watchdog.ts";
import { CLOSE_TIMEOUT, WebSockets } from "./web_sockets.ts";

export type { ListenOptions };

/** A hub server, as `createHubServer` makes it. */
export interface ListenableServer {
  /** Answers a request. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Ends every connection. */
  close(): Promise<void>;
  /** @internal */
  readonly [ANSWERER]: Answerer;
}

/** A port that is served; made by {@link listen}. */
export interface Listener extends AsyncDisposable {
  /** The address of the listener. */
  readonly hostname: string;
  /** The port of the listener. */
  readonly port: number;
  /** The URL of the listener on this machine, without a slash at the end. */
  readonly url: string;
  /**
   * Takes no more connections. WebSockets are closed with 1001; connections that are still open after 5 s
   * are cut. Resolves when no connection is open. Idempotent. It does not close the hub server: close the
   * hub server first, so that clients are asked to reconnect.
   */
  close(): Promise<void>;
}

/** Watches that `http` accepts connections, until it is disposed of. */
function watch(http: Server, { hostname: host, logger }: ResolvedListenOptions): Disposable {
  const { port } = http.address() as AddressInfo;
  const watchdog = new Watchdog({
    address: `${host}:${port}`,
    dial: (answered, failed) => dial(host, port, answered, failed),
    listenAgain() {
      http.close();
      http.listen({ host, port });
    },
  }, logger);
  http.on("connection", () => watchdog.accepted());
  const timer = setInterval(() => watchdog.look(), WATCH_INTERVAL);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      watchdog.stop();
    },
  };
}

function listenerOf(http: Server, { webSockets, connections, options }: HandlerParts): Listener {
  const { address: hostname, port } = http.address() as AddressInfo;
  const everywhere = hostname === "0.0.0.0" || hostname === "::";
  const host = everywhere ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  const url = `${options.tls ? "https" : "http"}://${host}:${port}`;
  const watching = watch(http, options);
  let closing: Promise<void> | undefined;
  const close = () =>
    closing ??= new Promise<void>((resolve) => {
      watching[Symbol.dispose]();
      const cut = setTimeout(() => connections.cut(), CLOSE_TIMEOUT);
      http.close(() => {
        clearTimeout(cut);
        resolve();
      });
      connections.end();
      webSockets.close();
    });
  return { hostname, port, url, close, [Symbol.asyncDispose]: close };
}

function httpServer(options: ResolvedListenOptions): Server {
  const { tls, headersTimeout, requestTimeout, keepAliveTimeout, maximumHeaderBytes } = options;
  const limits = {
    maxHeaderSize: maximumHeaderBytes,
    headersTimeout: Math.min(headersTimeout, requestTimeout),
    requestTimeout,
    keepAliveTimeout,
    connectionsCheckingInterval: 1000,
    noDelay: true,
    shouldUpgradeCallback: opensWebSocket,
  };
  if (tls === undefined) return createServer(limits);
  return createSecureServer({ ...limits, ...tls, handshakeTimeout: headersTimeout });
}

/** Resolves when `http` listens. */
function started(http: Server, { hostname, port, logger }: ResolvedListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    http.on("error", (cause) => {
      const error = new Error(`Cannot listen on ${hostname}:${port}: ${cause.message}`, { cause });
      if (http.listening) logger.error("A connection could not be accepted:", cause);
      else if (opened) logger.error(error.message);
      else reject(error);
    });
    let opened = false;
    http.listen({ host: hostname, port }, () => {
      opened = true;
      resolve();
    });
  });
}

/**
 * Serves the hubs of `server` on a port, through `node:http` and `ws`. Resolves when the port is open.
 *
 * @throws {RangeError} if an option is out of range; the text names it.
 * @throws {TypeError} if `server` was not made by `createHubServer`, or an option is not valid.
 * @throws {Error} if the port cannot be opened; `cause` is the reason.
 */
export async function listen(
  server: ListenableServer,
  options: ListenOptions = {},
): Promise<Listener> {
  const answerer: Answerer | undefined = server[ANSWERER];
  if (answerer === undefined) {
    throw new TypeError("Cannot listen: the server was not made by createHubServer()");
  }
  const resolved = resolveListenOptions(options, answerer.options.logger);
  const http = httpServer(resolved);
  http.maxConnections = resolved.maximumConnections;
  // The size of the headers is limited; a header that is left out could matter.
  http.maxHeadersCount = 0;
  const webSockets = new WebSockets(answerer.options);
  const { tls, maximumPipelinedRequests } = resolved;
  const { limitedLog } = answerer;
  const connections = new Connections(
    http,
    tls !== undefined,
    maximumPipelinedRequests,
    limitedLog,
  );
  const parts = { answerer, webSockets, connections, options: resolved };
  const handler = new Handler(parts);
  http.on("request", (message, target) => handler.request(message, target));
  http.on("upgrade", (message, socket, head) => handler.upgrade(message, socket, head));
  await started(http, resolved);
  return listenerOf(http, parts);
}
