import type { Backplane, BackplaneStatus, NodeContext } from "./bus/node_context.ts";
import { type Clock, steadyDate, systemClock } from "./clock.ts";
import { NodeCluster } from "./cluster/cluster.ts";
import type { ServerNode, ServerNodeEvent } from "./cluster/node.ts";
import type { HubUser } from "./definition/context.ts";
import type { ClientOf } from "./definition/hub_proxy.ts";
import { type ResolvedOptions, resolveOptions } from "./options/server.ts";
import { type DrainOptions, resolveDrainOptions } from "./options/serving.ts";
import {
  checkConfiguration,
  type Hubs,
  type HubServerConfiguration,
} from "./server/configuration.ts";
import type { HubHandle, HubServer } from "./server/hub_server.ts";
import { Homes } from "./relay/homes.ts";
import { Relay } from "./relay/relay.ts";
import { Tokens } from "./relay/tokens.ts";
import { AwakeClock } from "./scheduling/awake_clock.ts";
import { LimitedLog } from "./scheduling/limited_log.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { drainHubs, endHubs } from "./serving/drain.ts";
import { fetchThrough } from "./serving/fetch.ts";
import { Front } from "./serving/front.ts";
import { listenToNodes, type ServerStatusEvent, StatusReports } from "./serving/status_reports.ts";
import { Health, type ServerHealth } from "./serving/health.ts";
import { HubPaths } from "./serving/hub_paths.ts";
import { LiveHub } from "./serving/live_hub.ts";
import { ANSWERER, type Answerer } from "./transports/acceptor.ts";
import { ConnectionTable } from "./transports/connection_table.ts";
import { nativeAcceptor } from "./transports/websocket.ts";

/** The interval of the timer that all connections share, in milliseconds. */
const HEARTBEAT_INTERVAL = 1000;

const owned = new WeakSet<Backplane>();

class RunningServer<H extends Hubs> implements HubServer<H> {
  readonly ready: Promise<void>;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly [ANSWERER]: Answerer;
  readonly #context: NodeContext<ResolvedOptions>;
  readonly #cluster: NodeCluster;
  readonly #reports: StatusReports;
  readonly #paths: HubPaths<LiveHub>;
  readonly #table: ConnectionTable;
  readonly #homes: Homes;
  readonly #relay: Relay;
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
    const node = {
      serverName,
      backplane,
      scheduler: new Scheduler(time),
      limitedLog: new LimitedLog(logger, clock),
    };
    const date = steadyDate(clock);
    const cluster = this.#cluster = new NodeCluster(
      { ...node, clock: time, date },
      () => this.#connectionCount,
    );
    const tokens = new Tokens(serverName, cluster.keys, date);
    this.#reports = new StatusReports({ backplane, time, logger }, onGap);
    const { gaps } = this.#reports;
    const context = this.#context = { ...node, cluster, clock, time, gaps, logger, options };
    const rules = { authorize, ...filters && { filters } };
    const paths = this.#paths = new HubPaths(
      hubs,
      options.basePath,
      (hub, name) => new LiveHub(hub, name, context, rules),
    );
    const health = this.#health = new Health({
      ...context,
      paths,
      nodes: () => cluster.size,
      connections: () => this.#connectionCount,
      gaps: () => this.#reports.gapCount,
      ending: () => this.#closing ? "closed" : this.#draining && "draining",
    });
    owned.add(backplane);
    const table = this.#table = new ConnectionTable(context, options);
    const admitting = () => this.#draining === undefined && this.#closing === undefined;
    const { channels } = cluster;
    const homes = this.#homes = new Homes({ ...context, date, channels }, options);
    const relay = this.#relay = new Relay({ ...context, cluster, channels }, options);
    table.left = (id) => homes.left(id);
    relay.homeOf = (id) => table.withId(id) === undefined ? homes.homeOf(id) : serverName;
    const connections = { table, tokens, homes, relay };
    const front = new Front({ ...context, ...connections, health, paths, authenticate, admitting });
    this.fetch = fetchThrough(front, options, nativeAcceptor());
    const { limitedLog, scheduler } = context;
    const answer: Answerer["answer"] = (request, accept) => front.answer(request, accept);
    const turn = () => scheduler.takeRead() ? undefined : scheduler.nextTurn();
    this[ANSWERER] = { options, limitedLog, turn, answer };
    const started = [cluster.start(), ...paths.distinct.map((hub) => hub.start())];
    this.ready = Promise.all(started).then(() => {
      health.started();
      cluster.become("up");
    });
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

  get nodes(): readonly ServerNode[] {
    return this.#cluster.nodes;
  }

  onStatus(listener: (event: ServerStatusEvent) => void | Promise<void>): Disposable {
    return this.#reports.listen(listener);
  }

  onNodes(listener: (event: ServerNodeEvent) => void | Promise<void>): Disposable {
    return listenToNodes(this.#cluster, listener, this.#context.logger);
  }

  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>> {
    const hub = this.#paths.get(path);
    if (hub === undefined) throw new TypeError(`Cannot find hub: no path ${JSON.stringify(path)}`);
    return { clients: hub.clients, groups: hub.groups };
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const resolved = resolveDrainOptions(options);
    this.#draining ??= this.#closing ??
      drainHubs(this.#paths.distinct, resolved, this.#context, this.#cut.signal, true);
    this.#cluster.become("draining");
    await this.#draining;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #connectionCount(): number {
    return this.#paths.distinct.reduce((sum, { connectionCount }) => sum + connectionCount, 0);
  }

  async #close(): Promise<void> {
    this.#cut.abort();
    await endHubs(this.#paths.distinct, this.#context);
    this.#homes.close();
    await this.#table.close();
    this.#relay.close();
    this.#heartbeat[Symbol.dispose]();
    await this.#cluster.close();
    for (const hub of this.#paths.distinct) hub.close();
    this.#reports.close();
    this.#context.scheduler.close();
    await this.#context.backplane.close();
  }

  #tick(): void {
    this.#table.tick();
    this.#homes.tick();
    this.#context.limitedLog.sweep();
    this.#cluster.tick();
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
