import type { Backplane } from "../backplanes/backplane.ts";
import { type HubClients, type HubGroups, RoutedCallerClients, RoutedClients } from "./clients.ts";
import type { Clock } from "./clock.ts";
import type { CloseCause, ConnectionListener } from "./connection/closing.ts";
import { HubConnection } from "./connection/connection.ts";
import type { Pipe } from "./connection/pipe.ts";
import { CallContext, type ConnectionState, type HubRequest, type HubUser } from "./context.ts";
import { type DispatchOptions, Invocations } from "./dispatch/invocations.ts";
import { MethodTable } from "./dispatch/method_table.ts";
import { toError } from "./error_texts.ts";
import type { Hub, HubMethods } from "./hub.ts";
import type { ResolvedOptions } from "./options.ts";
import { ProtocolChoice } from "./protocol/choice.ts";
import { jsonProtocol } from "./protocol/json.ts";
import { messagepackProtocol } from "./protocol/messagepack.ts";
import { type HubMessage, MessageType } from "./protocol/messages.ts";
import type { HubProtocol } from "./protocol/protocol.ts";
import { Router } from "./routing/router.ts";

/** Whom a new connection belongs to and what it asked for. */
export interface Admission {
  /** The public connection id. */
  readonly id: string;
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  /** Whether the client has negotiated that it may come back on another pipe. */
  readonly stateful?: boolean;
}

/** What a {@link LiveHub} is made of. */
export interface LiveHubParts {
  /** The hub's name on the bus. */
  readonly name: string;
  readonly serverName: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
}

/** What this node keeps of one connection. */
interface Member {
  readonly state: ConnectionState;
  readonly invocations: Invocations;
}

const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

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
export class LiveHub implements ConnectionListener<HubConnection> {
  /** The sets that can be addressed from outside a hub method. */
  readonly clients: HubClients<never>;
  readonly #hub: Hub<HubMethods>;
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #options: ResolvedOptions;
  readonly #dispatch: DispatchOptions;
  readonly #protocols = new ProtocolChoice(PROTOCOLS);
  readonly #members = new Map<HubConnection, Member>();

  constructor(hub: Hub<HubMethods>, parts: LiveHubParts) {
    const { options, name, ...rest } = parts;
    this.#hub = hub;
    this.#clock = parts.clock;
    this.#options = options;
    this.#router = new Router({ ...rest, ...options, hub: name, protocols: PROTOCOLS });
    this.clients = new RoutedClients(this.#router);
    this.#dispatch = {
      methods: new MethodTable(hub.methods),
      maximumParallel: options.maximumParallelInvocationsPerClient,
      streamBufferCapacity: options.streamBufferCapacity,
      detailedErrors: options.detailedErrors,
      logger: options.logger,
      results: this.#router.results,
    };
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

  /** Takes a new connection; its transport hands it what arrives. */
  connect(pipe: Pipe, admission: Admission): HubConnection {
    const connection = new HubConnection(admission.id, pipe, {
      limits: this.#options,
      clock: this.#clock,
      protocols: this.#protocols,
      listener: this,
      stateful: admission.stateful ?? false,
    });
    const router = this.#router;
    let items: Map<unknown, unknown> | undefined;
    const state: ConnectionState = {
      connectionId: admission.id,
      user: admission.user,
      request: admission.request,
      get items() {
        return items ??= new Map();
      },
      clients: (before) => new RoutedCallerClients<never>(router, admission.id, before),
      groups: router.groups,
      get signal() {
        return connection.signal;
      },
      abort: () => connection.close({ message: { type: MessageType.Close } }),
    };
    const invocations = new Invocations(this.#dispatch, connection, state);
    this.#members.set(connection, { state, invocations });
    return connection;
  }

  /** The heartbeat. */
  tick(now: number): void {
    for (const connection of this.#members.keys()) connection.tick(now);
    this.#router.sweep();
  }

  /** Lets a connection's running calls finish, then asks its client to reconnect elsewhere. */
  async retire(connection: HubConnection): Promise<void> {
    connection.stopReading();
    await this.#members.get(connection)?.invocations.idle();
    connection.close({ message: { type: MessageType.Close, allowReconnect: true } });
  }

  /** Ends the way to the other nodes; the connections have ended before. */
  close(): void {
    this.#router.close();
  }

  async opened(connection: HubConnection): Promise<void> {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    await this.#router.connect(connection, member.state.user?.id);
    try {
      await this.#hub.connected?.(lifetimeContext(member.state, "connected"));
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
    member.invocations.abort();
    this.#router.results.abandon(connection.id);
  }

  async closed(connection: HubConnection, cause: CloseCause, admitted: boolean): Promise<void> {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    try {
      if (admitted) {
        await this.#hub.disconnected?.(lifetimeContext(member.state, "disconnected"), cause.error);
      }
    } catch (error) {
      this.#options.logger.error("Hub's disconnected failed:", error);
    }
    this.#router.disconnect(connection);
    this.#members.delete(connection);
  }
}
