import type { Backplane, BackplaneStatus } from "../bus/node_context.ts";
import type { Clock } from "../clock.ts";
import type { ResolvedOptions } from "../options/server.ts";
import type { HubPaths } from "./hub_paths.ts";

/** How a node is, from `HubServer.health()`. It names no node, no address and no error. */
export interface ServerHealth {
  /** Whether new clients should come to this node: while `state` is `up` or `degraded`. */
  readonly ready: boolean;
  /**
   * - `starting`: this node has not reached the other nodes yet; `HubServer.ready` is pending.
   * - `up`: this node serves its clients and reaches the other nodes.
   * - `degraded`: this node was up and serves its clients, but the backplane is not open.
   * - `draining`: `drain()` was called.
   * - `closed`: `close()` was called.
   */
  readonly state: "starting" | "up" | "degraded" | "draining" | "closed";
  /** The connection to the other nodes. */
  readonly backplane: BackplaneHealth;
  /** How many nodes live, as far as this node knows; this node counts. */
  readonly nodes: number;
  /** How many connections this node has. */
  readonly connections: number;
}

/** How the backplane of a node is. */
export interface BackplaneHealth {
  /** The status of the backplane. */
  readonly status: BackplaneStatus;
  /** Since when the status is this one, at the earliest since the server was created; epoch milliseconds. */
  readonly since: number;
  /** How long the bus took to answer the last answered probe, in milliseconds; `null` without one. */
  readonly probe: number | null;
  /** How many gaps were reported since the server was created; those that were repaired count too. */
  readonly gaps: number;
}

/** The parts of a {@link Health}. */
export interface HealthParts {
  readonly backplane: Backplane;
  readonly clock: Pick<Clock, "date">;
  readonly options: Pick<ResolvedOptions, "health">;
  readonly paths: Pick<HubPaths<unknown>, "covers">;
  /** How many nodes live. */
  readonly nodes: () => number;
  /** How many connections this node has. */
  readonly connections: () => number;
  /** How many gaps were reported. */
  readonly gaps: () => number;
  /** Whether the server has begun to leave. */
  readonly ending: () => "draining" | "closed" | undefined;
}

/** Says how a node is, and answers the requests of balancers. */
export class Health {
  readonly #parts: HealthParts;
  #status: BackplaneStatus;
  #since: number;
  #started = false;

  /** @throws {TypeError} if a path of `options.health` belongs to a hub. */
  constructor(parts: HealthParts) {
    const { backplane, clock, options, paths } = this.#parts = parts;
    for (const [name, path] of Object.entries<string | undefined>({ ...options.health })) {
      if (path === undefined || !paths.covers(path)) continue;
      throw new TypeError(
        `Cannot use health.${name}: ${JSON.stringify(path)} is the path of a hub or lies below it`,
      );
    }
    this.#status = backplane.status;
    this.#since = clock.date();
    backplane.onStatus(() => this.#look());
  }

  /** The node has reached the other nodes: it is never `starting` again. */
  started(): void {
    this.#started = true;
  }

  /** Returns how the node is. */
  report(): ServerHealth {
    // A driver may have a new status before it tells its listeners.
    this.#look();
    const { backplane, nodes, connections } = this.#parts;
    const state = this.#state();
    return {
      ready: state === "up" || state === "degraded",
      state,
      backplane: {
        status: this.#status,
        since: this.#since,
        probe: backplane.probe ?? null,
        gaps: this.#parts.gaps(),
      },
      nodes: nodes(),
      connections: connections(),
    };
  }

  /** Answers a request to a path of the option `health`; returns `undefined` for other paths. */
  answer({ method }: Request, pathname: string): Response | undefined {
    const { live, ready } = this.#parts.options.health;
    if (pathname !== live && pathname !== ready) return undefined;
    const headers = { "cache-control": "no-store" };
    if (method !== "GET" && method !== "HEAD") {
      return new Response(null, { status: 405, headers: { ...headers, allow: "GET, HEAD" } });
    }
    const health = this.report();
    const well = pathname === live ? health.state !== "closed" : health.ready;
    return new Response(method === "HEAD" ? null : JSON.stringify(health), {
      status: well ? 200 : 503,
      headers: { ...headers, "content-type": "application/json" },
    });
  }

  #state(): ServerHealth["state"] {
    const ending = this.#parts.ending();
    if (ending !== undefined) return ending;
    if (!this.#started) return "starting";
    return this.#status === "open" ? "up" : "degraded";
  }

  #look(): void {
    const { backplane: { status }, clock } = this.#parts;
    if (status === this.#status) return;
    this.#status = status;
    this.#since = clock.date();
  }
}
