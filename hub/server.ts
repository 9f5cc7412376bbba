import type {
  Backplane,
  BackplaneGap,
  BackplaneStatus,
  BackplaneStatusEvent,
  NodeContext,
} from "./bus/node_context.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { HubClients, HubGroups } from "./definition/clients.ts";
import type { HubUser } from "./definition/context.ts";
import type { ClientOf } from "./definition/hub_proxy.ts";
import { type ResolvedOptions, resolveOptions } from "./options/server.ts";
import { type DrainOptions, resolveDrainOptions } from "./options/serving.ts";
import {
  checkConfiguration,
  type Hubs,
  type HubServerConfiguration,
} from "./server/configuration.ts";
import { AwakeClock } from "./scheduling/awake_clock.ts";
import { LimitedLog } from "./scheduling/limited_log.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { drainHubs, endHubs } from "./serving/drain.ts";
import { fetchThrough } from "./serving/fetch.ts";
import { Front } from "./serving/front.ts";
import { listenToStatus, reportGaps } from "./serving/gap_report.ts";
import { Health, type ServerHealth } from "./serving/health.ts";
import { HubPaths } from "./serving/hub_paths.ts";
import { LiveHub } from "./serving/live_hub.ts";
import { ANSWERER, type Answerer } from "./transports/acceptor.ts";
import { ConnectionTable } from "./transports/connection_table.ts";
import { nativeAcceptor } from "./transports/websocket.ts";

/** The interval of the timer that all connections share, in milliseconds. */
const HEARTBEAT_INTERVAL = 1000;

/** Sends to the clients of a hub from outside its methods. */
export interface HubHandle<C> {
  /** The clients that messages can be sent to. */
  readonly clients: HubClients<C>;
  /** Adds connections to groups and removes them. */
  readonly groups: HubGroups;
}

/** Serves hubs; made by {@link createHubServer}. */
export interface HubServer<H extends Hubs> extends AsyncDisposable {
  /** Resolves when this node hears and reaches the other nodes; rejects when the backplane is `closed`. */
  readonly ready: Promise<void>;
  /** The status of the backplane. */
  readonly status: BackplaneStatus;
  /**
   * Returns how this node is. The node is `ready` while new clients should come to it: before it has reached
   * the backplane once, while it drains and when it is closed, they should not. A node that has lost its
   * backplane is `degraded` and stays ready, so that a fleet does not leave its balancer together.
   */
  health(): ServerHealth;
  /** Answers a request. The function is bound: `Deno.serve(server.fetch)`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Calls `listener` with every status event of the backplane, until the result is disposed. */
  onStatus(listener: (event: BackplaneStatusEvent) => void | Promise<void>): Disposable;
  /**
   * Returns the hub at a path, to send to its clients from outside its methods.
   *
   * @throws {TypeError} if no hub has that path.
   */
  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>>;
  /**
   * Asks all clients to reconnect to another node. New connections get 503, running invocations may
   * finish within `timeout`, streams and uploads within `streamTimeout`. Resolves when all connections have
   * ended. Idempotent.
   *
   * @throws {RangeError} if an option is out of range.
   */
  drain(options?: DrainOptions): Promise<void>;
  /**
   * Ends all connections at once, then closes the backplane. Waits at most 1 s for clients to answer the
   * close of their WebSocket. Idempotent; ends a drain early.
   */
  close(): Promise<void>;
  /** @internal */
  readonly [ANSWERER]: Answerer;
}

const owned = new WeakSet<Backplane>();

class RunningServer<H extends Hubs> implements HubServer<H> {
  readonly ready: Promise<void>;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly [ANSWERER]: Answerer;
  readonly #context: NodeContext<ResolvedOptions>;
  readonly #paths: HubPaths<LiveHub>;
  readonly #table: ConnectionTable;
  readonly #health: Health;
  readonly #heartbeat: Disposable;
  readonly #cut = new AbortController();
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(configuration: HubServerConfiguration<H>, time: Clock) {
    const { hubs, backplane, authenticate, authorize, filters, onGap } = configuration;
    const options = resolveOptions(configuration);
    checkConfiguration(configuration, options);
    if (owned.has(backplane)) {
      throw new TypeError("Cannot create hub server: the backplane belongs to another server");
    }
    const { logger } = options;
    const serverName = `deno_${crypto.randomUUID().replaceAll("-", "")}`;
    const clock = new AwakeClock(time, HEARTBEAT_INTERVAL);
    const context = this.#context = {
      serverName,
      backplane,
      clock,
      scheduler: new Scheduler(time),
      logger,
      limitedLog: new LimitedLog(logger, clock),
      options,
    };
    const rules = { authorize, ...filters && { filters } };
    const paths = this.#paths = new HubPaths(
      hubs,
      options.basePath,
      (hub, name) => new LiveHub(hub, name, context, rules),
    );
    const health = this.#health = new Health({
      ...context,
      paths,
      ending: () => this.#closing ? "closed" : this.#draining && "draining",
    });
    owned.add(backplane);
    const table = this.#table = new ConnectionTable(context, options);
    const admitting = () => this.#draining === undefined && this.#closing === undefined;
    const front = new Front({ ...context, health, paths, table, authenticate, admitting });
    this.fetch = fetchThrough(front, options, nativeAcceptor());
    const { limitedLog } = context;
    const answer: Answerer["answer"] = (request, accept) => front.answer(request, accept);
    this[ANSWERER] = { options, limitedLog, answer };
    const missed = (gap: BackplaneGap) => {
      health.missed();
      return onGap?.(gap);
    };
    reportGaps(backplane, missed, logger);
    this.ready = Promise.all(paths.distinct.map((hub) => hub.start())).then(() => health.started());
    // `ready` may be ignored: its rejection must not end the process.
    this.ready.catch(() => {});
    this.#heartbeat = clock.every(HEARTBEAT_INTERVAL, () => this.#tick());
  }

  get status(): BackplaneStatus {
    return this.#context.backplane.status;
  }

  health(): ServerHealth {
    return this.#health.report();
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void | Promise<void>): Disposable {
    return listenToStatus(this.#context.backplane, listener, this.#context.logger);
  }

  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>> {
    const hub = this.#paths.get(path);
    if (hub === undefined) throw new TypeError(`Cannot find hub: no path ${JSON.stringify(path)}`);
    return { clients: hub.clients, groups: hub.groups };
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const resolved = resolveDrainOptions(options);
    await (this.#draining ??= this.#closing ??
      drainHubs(this.#paths.distinct, resolved, this.#context, this.#cut.signal));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#cut.abort();
    await endHubs(this.#paths.distinct, this.#context);
    await this.#table.close();
    this.#heartbeat[Symbol.dispose]();
    for (const hub of this.#paths.distinct) hub.close();
    await this.#context.backplane.close();
  }

  #tick(): void {
    this.#table.tick();
    this.#context.limitedLog.sweep();
    for (const hub of this.#paths.distinct) hub.tick();
  }
}

/**
 * Serves hubs. The result works wherever a `Request` is answered: `Deno.serve(server.fetch)`,
 * `export default server` under `deno serve`, or a router.
 *
 * @throws {TypeError} if a path is malformed, a value is not a hub, two different hubs have one name,
 * an option is not known, or the backplane is missing or belongs to another server.
 * @throws {RangeError} if an option is out of range; the text names it.
 *
 * @example
 * ```ts
 * import { createHubServer, defineHub, type HubContext, openBackplane } from "@hubplane/hubplane";
 *
 * interface ChatClient {
 *   message(from: string, text: string): void;
 * }
 *
 * const chat = defineHub({
 *   methods: {
 *     async say({ clients, connectionId }: HubContext<ChatClient>, text: string) {
 *       await clients.all.send("message", connectionId, text);
 *     },
 *   },
 * });
 *
 * await using server = createHubServer({
 *   hubs: { "/chat": chat },
 *   backplane: await openBackplane("memory:"),
 * });
 * await server.ready;
 * server.hub("/chat").clients.all.send("message", "server", "hello");
 * ```
 */
export function createHubServer<const H extends Hubs<U>, U extends HubUser = never>(
  configuration: HubServerConfiguration<H, U>,
): HubServer<H> {
  return new RunningServer(configuration, systemClock);
}
