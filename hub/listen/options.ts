import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Logger } from "../definition/logger.ts";
import { checkNames } from "../options/known.ts";
import { inRanges, MAXIMUM } from "../options/range.ts";

/** Options of {@link listen}; all have defaults. Durations are milliseconds, sizes bytes. */
export interface ListenOptions {
  /**
   * The port, 0 to 65,535; 0 for any that is free.
   *
   * @default {8000}
   */
  readonly port?: number;
  /**
   * The address to listen on.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /** The certificate chain in PEM format. With `key`, the port serves TLS. */
  readonly cert?: string;
  /** The private key in PEM format. */
  readonly key?: string;
  /**
   * The beginning of the URLs of requests, such as `https://chat.example`: for a proxy that ends TLS.
   *
   * @default {the Host header}
   */
  readonly origin?: string;
  /**
   * Answers the requests that are not for a hub, such as the pages of an application. An exception is
   * logged and answered with 500.
   *
   * @default {404}
   */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /**
   * The largest number of open connections, 1 to 2,147,483,647; further connections are dropped at once.
   *
   * @default {10000}
   */
  readonly maximumConnections?: number;
  /**
   * The most requests of one connection that are under way at a time, 1 to 10,000. A request is under
   * way until its answer has left the process. At this limit the connection is not read until all of
   * them are answered; if one packet holds more requests, the connection ends.
   *
   * @default {16}
   */
  readonly maximumPipelinedRequests?: number;
  /**
   * The largest size of the head of a request, 1,024 to 1,048,576.
   *
   * @default {16384}
   */
  readonly maximumHeaderBytes?: number;
  /**
   * How long the head of a request, and the handshake of TLS, may take, 1 to 2,147,483,647. Checked
   * once a second.
   *
   * @default {10000}
   */
  readonly headersTimeout?: number;
  /**
   * How long a whole request may take to arrive, body included, 1 to 2,147,483,647. Checked once a
   * second.
   *
   * @default {60000}
   */
  readonly requestTimeout?: number;
  /**
   * How long a connection may rest between two requests, 1 to 2,147,483,647. It must be longer than
   * the same timeout of a proxy in front, or requests get lost.
   *
   * @default {65000}
   */
  readonly keepAliveTimeout?: number;
}

/** {@link ListenOptions}, checked and completed. */
export interface ResolvedListenOptions
  extends Required<Omit<ListenOptions, "cert" | "key" | "origin" | "fetch">> {
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly origin: string | undefined;
  readonly fetch: ListenOptions["fetch"];
  readonly logger: Logger;
}

/**
 * Checks and completes options.
 *
 * @throws {RangeError} naming the option, its value and its range.
 * @throws {TypeError} if an option is not valid.
 */
export function resolveListenOptions(
  options: ListenOptions,
  logger: Logger,
): ResolvedListenOptions {
  const { hostname = "0.0.0.0", cert, key, origin, fetch, ...numbers } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("Cannot listen: cert and key go together");
  }
  if (fetch !== undefined && typeof fetch !== "function") {
    throw new TypeError("Cannot listen: fetch is not a function");
  }
  const resolved = {
    ...inRanges<typeof numbers>(numbers, {
      port: [0, 65_535, 8000],
      maximumConnections: [1, MAXIMUM, 10_000],
      maximumPipelinedRequests: [1, 10_000, 16],
      maximumHeaderBytes: [1024, 1_048_576, 16_384],
      headersTimeout: [1, MAXIMUM, 10_000],
      requestTimeout: [1, MAXIMUM, 60_000],
      keepAliveTimeout: [1, MAXIMUM, 65_000],
    }),
    hostname,
    tls: cert === undefined || key === undefined ? undefined : checkedTls(cert, key),
    origin: origin === undefined ? undefined : originOf(origin),
    fetch,
    logger,
  };
  // `cert` and `key` became `tls`; a logger cannot be given.
  const { tls: _, logger: __, ...names } = { ...resolved, cert, key };
  checkNames(options, names, "Cannot listen");
  return resolved;
}

/** Checks the certificate now: Deno would only fail when a client connects. */
function checkedTls(cert: string, key: string): { readonly cert: string; readonly key: string } {
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    const { message } = cause as Error;
    throw new TypeError(`Cannot listen: cert or key is not valid: ${message}`, { cause });
  }
  if (!fits) throw new TypeError("Cannot listen: key does not belong to cert");
  return { cert, key };
}

function originOf(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === text) return origin;
  throw new TypeError(
    `Cannot use origin: ${JSON.stringify(text)} is not an origin such as "https://chat.example"`,
  );
}
