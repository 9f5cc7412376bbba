import type { NodeContext } from "../bus/node_context.ts";
import { type CloseCause, RECONNECT } from "../connection/closing.ts";
import { HubConnection } from "../connection/connection.ts";
import { Greeting } from "../connection/greeting.ts";
import type { ConnectionListener, ListeningParts } from "../connection/parts.ts";
import type { Pipe } from "../connection/pipe.ts";
import type { HubClients, HubGroups } from "../definition/clients.ts";
import type { HubRequest, HubUser } from "../definition/context.ts";
import type { HubFilter } from "../definition/filter.ts";
import type { Hub, HubMethods } from "../definition/hub.ts";
import type { HubPolicy } from "../definition/policy.ts";
import { allAllow } from "../dispatch/authorization.ts";
import { filteredHooks, type Hooks } from "../dispatch/filters.ts";
import { MethodTable } from "../dispatch/method_table.ts";
import type { ResolvedOptions } from "../options/server.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import type { HubMessage } from "../protocol/messages.ts";
import { RoutedClients, RoutedGroups } from "../routing/proxies.ts";
import { Router } from "../routing/router.ts";
import { Sweep } from "../scheduling/sweep.ts";
import { budgetLimits } from "./budget_limits.ts";
import { Expirations } from "./expirations.ts";
import { HubHandovers } from "./hub_handovers.ts";
import { greet, logEnd, takeLeave } from "./lifetime.ts";
import { Moves } from "./moves.ts";
import {
  ServedConnection,
  type ServedConnections,
  type ServedParts,
  type UserConnection,
} from "./served_connection.ts";

/** The filters and the policy of a server, outside those of its hubs. */
export interface ServerRules {
  readonly filters?: readonly HubFilter[];
  readonly authorize?: HubPolicy | undefined;
}

/**
 * A hub while it is served: its connections on this node, their calls, and the way to the other nodes.
 * It knows no HTTP: a connection comes as a {@link Pipe}.
 */
export class LiveHub implements ConnectionListener<HubConnection> {
  /** The clients that messages can be sent to from outside a hub method. */
  readonly clients: HubClients<never>;
  /** Adds connections to groups and removes them. */
  readonly groups: HubGroups;
  /** The name of the hub on the bus. */
  readonly name: string;
  /** Takes connections out of this node, and takes in connections of other nodes. */
  readonly moves: Moves;
  /** Brings connections to other nodes, and those of other nodes here. */
  readonly handovers: HubHandovers;
  readonly #policies: readonly HubPolicy[];
  readonly #hooks: Hooks;
  readonly #router: Router;
  readonly #context: NodeContext<ResolvedOptions>;
  readonly #connectionParts: ListeningParts<HubConnection>;
  readonly #servedParts: ServedParts;
  readonly #served: ServedConnections = new Map();
  readonly #heartbeat: Sweep<[HubConnection, ServedConnection]>;
  readonly #expirations: Expirations | undefined;

  constructor(
    hub: Hub<HubMethods>,
    name: string,
    context: NodeContext<ResolvedOptions>,
    { filters = [], authorize }: ServerRules = {},
  ) {
    const { clock, limitedLog, options, scheduler } = this.#context = context;
    const allFilters = [...filters, ...hub.filters ?? []];
    this.name = name;
    this.#policies = [authorize, hub.authorize].filter((policy) => policy !== undefined);
    this.#hooks = filteredHooks(hub, allFilters);
    const budget = budgetLimits(options);
    this.#connectionParts = { limits: options, budget, clock, scheduler, listener: this };
    this.#heartbeat = new Sweep(context, this.#served, ([connection]) => {
      connection.tick(clock.now());
    });
    if (options.closeOnAuthenticationExpiration) {
      this.#expirations = new Expirations(context);
    }
    this.#router = new Router(name, context);
    this.clients = new RoutedClients(this.#router);
    this.groups = new RoutedGroups(this.#router);
    const methods = new MethodTable(hub.methods, {
      hub: name,
      filters: allFilters,
      policies: this.#policies,
      detailedErrors: options.detailedErrors,
      limitedLog,
    });
    const { results } = this.#router;
    this.#servedParts = {
      router: this.#router,
      dispatch: { methods, results, limitedLog, scheduler, options },
    };
    const parts = { connection: this.#connectionParts, served: this.#servedParts };
    this.moves = new Moves(
      name,
      { context, hooks: this.#hooks, ...parts },
      this.#served,
      this.#expirations,
    );
    const { moves } = this;
    this.handovers = new HubHandovers({ hub: name, context, router: this.#router, moves });
  }

  /** The number of the connections that have not ended. */
  get connectionCount(): number {
    return this.#served.size;
  }

  /** The connections that have not ended. */
  get connections(): Iterable<HubConnection> {
    return this.#served.keys();
  }

  /** Resolves when this node hears the other nodes; rejects when the backplane is closed. */
  start(): Promise<void> {
    return this.#router.start();
  }

  /** Whether the hub has policies. */
  get guarded(): boolean {
    return this.#policies.length > 0;
  }

  /** Whether a user may use the hub. Never rejects: a policy that fails is logged and refuses. */
  async admits(user: HubUser | undefined, request: HubRequest): Promise<boolean> {
    // A policy declares the type of user that it expects; `authenticate` returned the user.
    const access = { hub: this.name, user: user as never, request };
    return await allAllow(
      this.#policies,
      (policy) => policy(access),
      (error) => this.#context.limitedLog.failure("authorize failed:", error),
    );
  }

  /** Takes a new connection; its transport hands on the bytes of the client. */
  connect(pipe: Pipe, from: UserConnection): HubConnection {
    const { id, user, stateful } = from;
    const greeting = new Greeting(this.#connectionParts, stateful);
    const connection = new HubConnection(id, pipe, this.#connectionParts, greeting);
    this.#served.set(connection, new ServedConnection(connection, from, this.#servedParts));
    this.#expirations?.add(connection, user);
    return connection;
  }

  /** Renews the authentication of a connection, for which a later request has come. */
  renew(connectionId: string, user: HubUser | undefined): void {
    this.#expirations?.renew(connectionId, user);
  }

  /** Checks all timeouts. Called by the heartbeat. */
  tick(): void {
    this.#heartbeat.begin();
    this.#expirations?.tick();
    this.#router.sweep();
  }

  /**
   * Lets a connection's running calls finish, then asks its client to reconnect elsewhere. With `moves` a
   * stateful connection goes on at another node instead; `moves` ends the wait for its calls.
   */
  async retire(connection: HubConnection, moves?: AbortSignal): Promise<void> {
    if (moves !== undefined && this.canMove(connection)) {
      return await this.handovers.release(connection, moves);
    }
    const invocations = this.#served.get(connection)?.invocations;
    if (invocations !== undefined) {
      invocations.retire(true);
      await invocations.idle();
    }
    connection.close(RECONNECT);
  }

  /** Whether a connection can go on at another node: its client may come back, and comes back when it has to. */
  canMove(connection: HubConnection): boolean {
    return connection.isStateful && !connection.clings;
  }

  /** Ends the streams and uploads of a connection that have not ended since {@link retire}. */
  endStreams(connection: HubConnection): void {
    this.#served.get(connection)?.invocations?.endStreams();
  }

  /** Leaves the bus, after all connections have ended. */
  close(): void {
    this.handovers.close();
    this.#router.close();
  }

  opened(connection: HubConnection): Promise<unknown> | undefined {
    const served = this.#served.get(connection);
    if (served === undefined) return undefined;
    this.#context.limitedLog.log("debug", "connected", "A client has connected:", connection.id);
    const reachable = this.#router.connect(connection, served.user?.id);
    if (this.#hooks.connected === undefined) return reachable;
    return greet("connected", this.#hooks, served, reachable, this.#context.limitedLog);
  }

  message(
    connection: HubConnection,
    message: HubMessage,
    record: TextOrBytes,
  ): Promise<void> | undefined {
    return this.#served.get(connection)?.receive(message, record);
  }

  closing(connection: HubConnection, cause: CloseCause): void {
    const served = this.#served.get(connection);
    if (served === undefined) return;
    // A client that reads too slowly leaves all groups at once, before it can delay other clients.
    if (cause.slow) this.#router.groups.leaveAll(connection);
    this.#expirations?.delete(connection.id);
    served.invocations?.abort();
    this.#router.results.abandon(connection.id);
  }

  async closed(connection: HubConnection, cause: CloseCause, admitted: boolean): Promise<void> {
    const served = this.#served.get(connection);
    if (served === undefined) return;
    logEnd(connection.id, cause, this.#context.limitedLog);
    served.invocations?.abort();
    // Many connections may end in one turn, as when the network is cut.
    const nextTurn = this.#context.scheduler.spend();
    if (nextTurn !== undefined) await nextTurn;
    if (admitted) await takeLeave(this.#hooks, served, cause.error, this.#context.limitedLog);
    this.#router.disconnect(connection);
    this.#served.delete(connection);
    served.owner?.connectionEnded();
  }
}
