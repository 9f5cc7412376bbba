import type {
  Backplane,
  BackplaneGap,
  BackplaneStatus,
  BackplaneStatusEvent,
} from "../backplanes/backplane.ts";
import type { HubPolicy } from "./definition/policy.ts";
import { type Authenticate, identify, unauthorizedResponse } from "./serving/authentication.ts";
import type { HubClients, HubGroups } from "./definition/clients.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { HubUser } from "./definition/context.ts";
import { drainHubs, endHubs } from "./serving/drain.ts";
import { checkFilters, type HubFilter } from "./definition/filter.ts";
import { reportGap } from "./serving/gap_report.ts";
import type { Hub, HubMethods } from "./definition/hub.ts";
import { HubPaths, type PathMatch } from "./serving/hub_paths.ts";
import type { ClientOf } from "./definition/hub_proxy.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { LiveHub } from "./serving/live_hub.ts";
import {
  type DrainOptions,
  type HubServerOptions,
  type ResolvedOptions,
  resolveDrainOptions,
  resolveOptions,
} from "./options/server.ts";
import { type AcceptWebSocket, ANSWERER, type Answerer } from "./transports/acceptor.ts";
import { ConnectionTable } from "./transports/connection_table.ts";
import { CrossOrigin } from "./transports/cors.ts";
import { Endpoint } from "./transports/endpoint.ts";
import { parameters } from "./transports/negotiate.ts";
import { acceptWebSocket } from "./transports/websocket.ts";

/** The interval of the one timer that all connections share, in milliseconds. */
const HEARTBEAT_INTERVAL = 1000;

/** Hubs by path. */
export type Hubs = Readonly<Record<string, Hub<HubMethods>>>;

/** What {@link createHubServer} takes; the flat options are those of {@link HubServerOptions}. */
export interface HubServerConfiguration<H extends Hubs> extends HubServerOptions {
  /** What is served where: each key starts with `/` and has no trailing slash. */
  readonly hubs: H;
  /** The way to the other nodes. The server owns it from now on and closes it. */
  readonly backplane: Backplane;
  /**
   * Says who a request comes from. Runs on every request; the one that opens the transport decides. A
   * throw is logged and answered with 500.
   */
  readonly authenticate?: Authenticate;
  /**
   * Says who may use the hubs, and call which method. Asked before the `authorize` of the hub and of the
   * method; all must say yes.
   */
  readonly authorize?: HubPolicy;
  /** What runs around every call and connection of every hub, outside its own; the first outermost. */
  readonly filters?: readonly HubFilter[];
  /**
   * Called when messages from other nodes may have been missed: let clients read their state again.
   */
  readonly onGap?: (gap: BackplaneGap) => void;
}

/** The way to a hub's clients from outside its methods. */
export interface HubHandle<C> {
  /** Whom messages can go to. */
  readonly clients: HubClients<C>;
  /** Which connections are in which groups. */
  readonly groups: HubGroups;
}

/** Serves hubs; made by {@link createHubServer}. */
export interface HubServer<H extends Hubs> extends AsyncDisposable {
  /** Resolves when this node hears the others and reaches them; rejects when the backplane is `closed`. */
  readonly ready: Promise<void>;
  /** The status of the backplane. */
  readonly status: BackplaneStatus;
  /** Answers a request; bound, so that it can be handed on: `Deno.serve(server.fetch)`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Hands on every status event of the backplane until the returned object is disposed. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable;
  /**
   * The way to a hub's clients from outside its methods.
   *
   * @throws {TypeError} if no hub has that path.
   */
  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>>;
  /**
   * Asks every client to reconnect elsewhere: new connections get 503, running invocations may finish.
   * Resolves when no connection is left. Idempotent.
   *
   * @throws {RangeError} if an option is out of range.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends every connection at once, then the backplane. Idempotent; cuts a drain short. */
  close(): Promise<void>;
  /** @internal */
  readonly [ANSWERER]: Answerer;
}

const owned = new WeakSet<Backplane>();

/** A request to one of the hubs. */
interface Question {
  readonly request: Request;
  readonly accept: AcceptWebSocket;
  readonly url: URL;
  readonly match: PathMatch<LiveHub>;
}

class RunningServer<H extends Hubs> implements HubServer<H> {
  readonly ready: Promise<void>;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly [ANSWERER]: Answerer;
  readonly #backplane: Backplane;
  readonly #options: ResolvedOptions;
  readonly #authenticate: HubServerConfiguration<H>["authenticate"];
  readonly #clock: Clock;
  readonly #paths: HubPaths<LiveHub>;
  readonly #hubs: readonly LiveHub[];
  readonly #table: ConnectionTable;
  readonly #endpoint: Endpoint;
  readonly #crossOrigin: CrossOrigin | undefined;
  readonly #heartbeat: Disposable;
  readonly #cut = new AbortController();
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(configuration: HubServerConfiguration<H>, clock: Clock) {
    const { hubs, backplane, authenticate, authorize, filters = [], onGap } = configuration;
    const options = this.#options = resolveOptions(configuration);
    if (typeof backplane?.publish !== "function") {
      throw new TypeError(
        'Cannot create hub server: backplane is missing; openBackplane("memory:") gives one',
      );
    }
    if (owned.has(backplane)) {
      throw new TypeError("Cannot create hub server: the backplane belongs to another server");
    }
    if (authorize !== undefined && typeof authorize !== "function") {
      throw new TypeError("Cannot create hub server: authorize is not a function");
    }
    checkFilters(filters, "Cannot create hub server");
    const around = { filters, ...authorize && { authorize } };
    const scheduler = new Scheduler(clock);
    const serverName = `deno_${crypto.randomUUID().replaceAll("-", "")}`;
    this.#paths = new HubPaths(
      hubs,
      options.basePath,
      (hub, name) =>
        new LiveHub(hub, { name, serverName, backplane, clock, scheduler, options, ...around }),
    );
    owned.add(backplane);
    this.#backplane = backplane;
    this.#authenticate = authenticate;
    this.#clock = clock;
    this.#hubs = this.#paths.distinct;
    this.#table = new ConnectionTable(
      clock,
      options.disconnectTimeout,
      options.maximumPendingConnections,
    );
    this.#endpoint = new Endpoint({ table: this.#table, clock, scheduler, options });
    if (options.cors !== undefined) this.#crossOrigin = new CrossOrigin(options.cors);
    this.fetch = (request) =>
      this.#answer(request, acceptWebSocket) ??
        Promise.resolve(new Response(null, { status: 404 }));
    this[ANSWERER] = { options, answer: (request, accept) => this.#answer(request, accept) };
    backplane.onStatus(({ gap }) => {
      if (gap !== undefined) reportGap(gap, onGap, options.logger);
    });
    this.ready = Promise.all(this.#hubs.map((hub) => hub.start())).then(() => {});
    // Who does not ask for it learns from `status`.
    this.ready.catch(() => {});
    this.#heartbeat = clock.every(HEARTBEAT_INTERVAL, () => this.#tick());
  }

  get status(): BackplaneStatus {
    return this.#backplane.status;
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#backplane.onStatus(listener);
  }

  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>> {
    const hub = this.#paths.get(path);
    if (hub === undefined) throw new TypeError(`Cannot find hub: no path ${JSON.stringify(path)}`);
    return { clients: hub.clients, groups: hub.groups };
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const resolved = resolveDrainOptions(options);
    await (this.#draining ??= this.#closing ??
      drainHubs(this.#hubs, resolved, this.#clock, this.#cut.signal));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#cut.abort();
    await endHubs(this.#hubs, this.#clock);
    this.#table.close();
    this.#heartbeat[Symbol.dispose]();
    for (const hub of this.#hubs) hub.close();
    await this.#backplane.close();
  }

  #tick(): void {
    this.#table.tick();
    const now = this.#clock.now();
    for (const hub of this.#hubs) hub.tick(now);
  }

  #answer(request: Request, accept: AcceptWebSocket): Promise<Response> | undefined {
    const url = new URL(request.url);
    const match = this.#paths.match(url.pathname);
    if (match === undefined) return undefined;
    // A browser that asks beforehand sends nothing that says who it is.
    const preflight = this.#crossOrigin?.preflight(request);
    if (preflight !== undefined) return Promise.resolve(preflight);
    const response = this.#ask({ request, accept, url, match });
    const crossOrigin = this.#crossOrigin;
    if (crossOrigin === undefined) return response;
    return response.then((response) => crossOrigin.apply(request, response));
  }

  async #ask({ request, accept, url, match }: Question): Promise<Response> {
    const user = this.#authenticate &&
      await identify(request, this.#authenticate, this.#options.logger);
    if (user instanceof Response) return user;
    const { hub } = match;
    // Nobody looks at the headers of a request before something asks for them: they cost more than it does.
    if (hub.guarded && !await hub.admits(user, { url: request.url, headers: request.headers })) {
      return unauthorizedResponse(user);
    }
    if (request.method === "GET") this.#renew(url, hub, user);
    return await this.#endpoint.answer({
      request,
      url,
      negotiating: match.negotiating,
      userId: user?.id,
      admitting: this.#draining === undefined && this.#closing === undefined,
      accept,
      connect: (pipe, opening) => hub.connect(pipe, { ...opening, user }),
    });
  }

  /** A poll, or a client that comes back, may bring a newer authentication. */
  #renew(url: URL, hub: LiveHub, user: HubUser | undefined): void {
    if (!this.#options.closeOnAuthenticationExpiration) return;
    const session = this.#table.find(parameters(url, "id")[0] ?? "");
    if (session !== undefined) hub.renew(session.id, user);
  }
}

/**
 * Serves hubs. The result works wherever a `Request` is answered: `Deno.serve(server.fetch)`,
 * `export default server` under `deno serve`, or a router.
 *
 * @throws {TypeError} if a path is malformed, two different hubs have one name, or the backplane is
 * missing or belongs to another server.
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
export function createHubServer<const H extends Hubs>(
  configuration: HubServerConfiguration<H>,
): HubServer<H> {
  return new RunningServer(configuration, systemClock);
}
