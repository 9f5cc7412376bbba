import type { Backplane } from "../../backplanes/backplane.ts";
import type { HubPolicy } from "../definition/policy.ts";
import type { HubClients, HubGroups } from "../definition/clients.ts";
import type { Clock } from "../clock.ts";
import type { CloseCause } from "../connection/closing.ts";
import { HubConnection } from "../connection/connection.ts";
import type { ConnectionListener, ConnectionParts } from "../connection/parts.ts";
import type { Pipe, PipeOwner } from "../connection/pipe.ts";
import {
  CallContext,
  type ConnectionState,
  type HubRequest,
  type HubUser,
} from "../definition/context.ts";
import { allAllow } from "../dispatch/authorization.ts";
import { filteredHooks, type Hooks } from "../dispatch/filters.ts";
import type { DispatchOptions } from "../dispatch/invocations.ts";
import { MethodTable } from "../dispatch/method_table.ts";
import { toError } from "../connection/error_texts.ts";
import { Expirations } from "./expirations.ts";
import type { HubFilter } from "../definition/filter.ts";
import type { Hub, HubMethods } from "../definition/hub.ts";
import { Member, type MemberParts } from "./served_connection.ts";
import type { ResolvedOptions } from "../options/server.ts";
import { ProtocolChoice } from "../protocol/choice.ts";
import { type HubMessage, MessageType } from "../protocol/messages.ts";
import { PROTOCOLS } from "../protocol/protocols.ts";
import { RoutedClients } from "../routing/proxies.ts";
import { Router } from "../routing/router.ts";

/** Whom a new connection belongs to and what it asked for. */
export interface Admission {
  /** The public connection id. */
  readonly id: string;
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  /** Whether the client has negotiated that it may come back on another pipe. */
  readonly stateful?: boolean;
  /** Who is told when the connection has ended. */
  readonly owner?: PipeOwner;
}

/** What a {@link LiveHub} is made of. */
export interface LiveHubParts {
  /** The hub's name on the bus. */
  readonly name: string;
  readonly serverName: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  /** What stands around every hub of the server, outside its own. */
  readonly filters?: readonly HubFilter[];
  /** Says who may use every hub of the server, before its own. */
  readonly authorize?: HubPolicy;
}

/** A context outside any call: nothing of the client is read there, so it cannot answer. */
function lifetimeContext(state: ConnectionState, where: string): CallContext {
  return new CallContext(state, {
    get signal() {
      return state.signal;
    },
    beforeInvoke() {
      throw new Error(`Client results inside ${where} Hub methods are not allowed.`);
    },
  });
}

/**
 * A hub while it is served: its connections on this node, their calls, and the way to the other nodes.
 * It knows no HTTP: a connection comes as a {@link Pipe}.
 */
export class LiveHub implements ConnectionListener {
  /** The sets that can be addressed from outside a hub method. */
  readonly clients: HubClients<never>;
  readonly #name: string;
  readonly #policies: readonly HubPolicy[];
  readonly #hooks: Hooks;
  readonly #router: Router;
  readonly #options: ResolvedOptions;
  readonly #connectionParts: ConnectionParts;
  readonly #memberParts: MemberParts;
  readonly #members = new Map<HubConnection, Member>();
  readonly #expirations: Expirations | undefined;

  constructor(hub: Hub<HubMethods>, parts: LiveHubParts) {
    const { options, name, filters = [], authorize, ...rest } = parts;
    const allFilters = [...filters, ...hub.filters ?? []];
    this.#name = name;
    this.#policies = [authorize, hub.authorize].filter((policy) => policy !== undefined);
    this.#hooks = filteredHooks(hub, allFilters);
    this.#options = options;
    this.#connectionParts = {
      limits: options,
      clock: parts.clock,
      protocols: new ProtocolChoice(PROTOCOLS),
      listener: this,
    };
    if (options.closeOnAuthenticationExpiration) this.#expirations = new Expirations(parts.clock);
    this.#router = new Router(name, { ...rest, logger: options.logger, options });
    this.clients = new RoutedClients(this.#router);
    const dispatch: DispatchOptions = {
      methods: new MethodTable(hub.methods, {
        hub: name,
        filters: allFilters,
        policies: this.#policies,
        detailedErrors: options.detailedErrors,
        logger: options.logger,
      }),
      maximumParallel: options.maximumParallelInvocationsPerClient,
      maximumBackground: options.maximumBackgroundInvocationsPerClient,
      streamBufferCapacity: options.streamBufferCapacity,
      detailedErrors: options.detailedErrors,
      logger: options.logger,
      results: this.#router.results,
    };
    this.#memberParts = { router: this.#router, dispatch };
  }

  /** Which connections are in which groups. */
  get groups(): HubGroups {
    return this.#router.groups;
  }

  /** The connections that have not ended. */
  get connections(): Iterable<HubConnection> {
    return this.#members.keys();
  }

  /** Resolves when this node hears the others; rejects when the backplane is closed. */
  start(): Promise<void> {
    return this.#router.start();
  }

  /** Whether policies say who may use the hub. */
  get guarded(): boolean {
    return this.#policies.length > 0;
  }

  /** Whether somebody may use the hub. Never rejects: a policy that fails is logged and says no. */
  async admits(user: HubUser | undefined, request: HubRequest): Promise<boolean> {
    // Which user it is, policies declare; `authenticate` made it.
    const access = { hub: this.#name, user: user as never, request };
    return await allAllow(
      this.#policies,
      (policy) => policy(access),
      (error) => this.#options.logger.error("authorize failed:", error),
    );
  }

  /** Takes a new connection; its transport hands it what arrives. */
  connect(pipe: Pipe, admission: Admission): HubConnection {
    const { id, user, stateful } = admission;
    const connection = new HubConnection(id, pipe, this.#connectionParts, stateful);
    this.#members.set(connection, new Member(connection, admission, this.#memberParts));
    this.#expirations?.add(connection, user);
    return connection;
  }

  /** A later request for a connection has come, from a user whose authentication may last longer. */
  renew(connectionId: string, user: HubUser | undefined): void {
    this.#expirations?.renew(connectionId, user);
  }

  /** The heartbeat. */
  tick(now: number): void {
    for (const connection of this.#members.keys()) connection.tick(now);
    this.#expirations?.tick();
    this.#router.sweep();
  }

  /** Lets a connection's running calls finish, then asks its client to reconnect elsewhere. */
  async retire(connection: HubConnection): Promise<void> {
    const invocations = this.#members.get(connection)?.invocations;
    invocations?.retire();
    await invocations?.idle();
    connection.close({ message: { type: MessageType.Close, allowReconnect: true } });
  }

  /** Ends the way to the other nodes; the connections have ended before. */
  close(): void {
    this.#router.close();
  }

  opened(connection: HubConnection): Promise<unknown> | undefined {
    const member = this.#members.get(connection);
    if (member === undefined) return undefined;
    const reachable = this.#router.connect(connection, member.user?.id);
    return this.#hooks.connected === undefined ? reachable : this.#greet(member, reachable);
  }

  async #greet(member: Member, reachable: Promise<unknown> | undefined): Promise<void> {
    await reachable;
    try {
      await this.#hooks.connected?.(lifetimeContext(member, "connected"));
    } catch (error) {
      this.#options.logger.error("Hub's connected failed:", error);
      throw toError(error);
    }
  }

  message(connection: HubConnection, message: HubMessage): Promise<void> | undefined {
    return this.#members.get(connection)?.invocations.receive(message);
  }

  closing(connection: HubConnection, cause: CloseCause): void {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    // A client that reads too slowly is taken out of every group before it can delay anyone.
    if (cause.slow) this.#router.groups.leaveAll(connection);
    this.#expirations?.delete(connection.id);
    member.invocations.abort();
    this.#router.results.abandon(connection.id);
  }

  async closed(connection: HubConnection, cause: CloseCause, admitted: boolean): Promise<void> {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    member.invocations.abort();
    try {
      if (admitted) {
        await this.#hooks.disconnected?.(
          lifetimeContext(member, "disconnected"),
          cause.error,
        );
      }
    } catch (error) {
      this.#options.logger.error("Hub's disconnected failed:", error);
    }
    this.#router.disconnect(connection);
    this.#members.delete(connection);
    member.owner?.connectionEnded();
  }
}
