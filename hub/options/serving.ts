import type { Logger } from "../definition/logger.ts";
import { checkNames } from "./known.ts";
import { inRange, MAXIMUM } from "./range.ts";

/** The paths that tell a balancer, or whatever starts the process, how the server is. */
export interface HealthOptions {
  /**
   * The path that is answered 200 until the server is closed, then 503: whether the process is alive.
   *
   * @default {none}
   */
  readonly live?: string;
  /**
   * The path that is answered 200 while `HubServer.health().ready` is true, otherwise 503: whether new
   * clients should come to this node.
   *
   * @default {none}
   */
  readonly ready?: string;
}

/** {@link HealthOptions}, checked. */
export interface ResolvedHealthOptions {
  readonly live: string | undefined;
  readonly ready: string | undefined;
}

/** The options of a server as a whole. */
export interface ServingOptions {
  /**
   * A prefix of every path in `hubs`, for matching requests: it begins with `/` and has no trailing
   * slash, or is empty.
   *
   * @default {""}
   */
  readonly basePath?: string;
  /**
   * Receives the reports of failures, outages and gaps, and of what clients do wrong. The default leaves
   * out the entries of `debug`.
   *
   * @default {console}
   */
  readonly logger?: Logger;
  /**
   * Whether clients see the texts of all errors, not only of `HubError`. For development.
   *
   * @default {false}
   */
  readonly detailedErrors?: boolean;
  /**
   * Whether a connection is closed, with leave to reconnect, when its user's `expires` has passed.
   * Checked once a second. A later poll of the same user prolongs the connection.
   *
   * @default {false}
   */
  readonly closeOnAuthenticationExpiration?: boolean;
  /**
   * Paths such as `{ live: "/healthz", ready: "/readyz" }` that are answered with `HubServer.health()` as
   * JSON: GET and HEAD, without `authenticate`. A path is the whole path of the URL, as the URL has it:
   * `basePath` does not stand before it.
   *
   * @default {none}
   */
  readonly health?: HealthOptions;
}

/** {@link ServingOptions} with their defaults. */
export interface ResolvedServingOptions extends Required<Omit<ServingOptions, "health">> {
  readonly health: ResolvedHealthOptions;
}

/** The console without the details of `debug`, such as the clients that connect. */
const DEFAULT_LOGGER: Logger = Object.create(console, { debug: { value() {} } });

/** Checks the options of a server as a whole and fills in defaults; throws as `resolveOptions`. */
export function resolveServing(options: ServingOptions): ResolvedServingOptions {
  const { basePath = "", logger = DEFAULT_LOGGER } = options;
  if (basePath !== "" && !/^\/.*[^/]$/.test(basePath)) {
    throw new TypeError(
      `Cannot use basePath: ${JSON.stringify(basePath)} does not start with "/" or ends with one`,
    );
  }
  return {
    basePath,
    logger,
    detailedErrors: options.detailedErrors ?? false,
    closeOnAuthenticationExpiration: options.closeOnAuthenticationExpiration ?? false,
    health: resolveHealth(options.health),
  };
}

function resolveHealth(options: HealthOptions = {}): ResolvedHealthOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot use health: it is not an object");
  }
  const { live, ready } = options;
  for (const [name, path] of Object.entries({ live, ready })) {
    if (path === undefined || isPath(path)) continue;
    const text = JSON.stringify(path);
    throw new TypeError(`Cannot use health.${name}: ${text} is not a path such as "/healthz"`);
  }
  if (live !== undefined && live === ready) {
    throw new TypeError(`Cannot use health: live and ready are both ${JSON.stringify(live)}`);
  }
  return { live, ready };
}

/** Whether `text` is a path as requests have it: absolute, encoded, and without a query. */
function isPath(text: unknown): boolean {
  return typeof text === "string" && text.startsWith("/") &&
    new URL(`http://localhost${text}`).pathname === text;
}

/** Options of {@link HubServer.drain}. */
export interface DrainOptions {
  /**
   * How long running invocations may take to finish, in milliseconds, 0 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /**
   * How long streams and uploads may take to end after their `signal` was aborted, in milliseconds, 0 to
   * 2,147,483,647. Then they end with an error that says that the server is closing.
   *
   * @default {5000}
   */
  readonly streamTimeout?: number;
  /**
   * How many connections are closed at a time, 1 to 2,147,483,647.
   *
   * @default {100}
   */
  readonly batch?: number;
  /**
   * The pause between two batches, in milliseconds, 0 to 2,147,483,647. The pauses are shorter if all of
   * them would take more than half of `timeout`.
   *
   * @default {100}
   */
  readonly interval?: number;
}

/**
 * Checks and completes the options of a drain.
 *
 * @throws {RangeError} naming the option, its value and its range.
 * @throws {TypeError} naming an option that is not known.
 */
export function resolveDrainOptions(options: DrainOptions): Required<DrainOptions> {
  const { timeout = 30_000, streamTimeout = 5000, batch = 100, interval = 100 } = options;
  const resolved = {
    timeout: inRange("timeout", timeout, 0, MAXIMUM),
    streamTimeout: inRange("streamTimeout", streamTimeout, 0, MAXIMUM),
    batch: inRange("batch", batch, 1, MAXIMUM),
    interval: inRange("interval", interval, 0, MAXIMUM),
  };
  checkNames(options, resolved, "Cannot drain");
  return resolved;
}
