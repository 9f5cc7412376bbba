import type { HubConnection } from "../connection/connection.ts";
import type { HubCallerClients, HubGroups } from "../definition/clients.ts";
import type { HubRequest, HubUser } from "../definition/context.ts";
import type { CallingConnection } from "../dispatch/call_context.ts";
import { Invocations } from "../dispatch/invocations.ts";
import type { DispatchParts } from "../dispatch/method_table.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { type HubMessage, MessageType } from "../protocol/messages.ts";
import { RoutedCallerClients, RoutedGroups } from "../routing/proxies.ts";
import type { Router } from "../routing/router.ts";
import type { NewConnection } from "../transports/hub_request.ts";

/** A connection that a transport opens for a user. */
export interface UserConnection
  extends Pick<NewConnection, "id">, Partial<Pick<NewConnection, "stateful" | "owner">> {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
}

/** The parts that all connections of a hub share. */
export interface ServedParts {
  readonly router: Router;
  readonly dispatch: DispatchParts;
}

/** The connections of a hub that have not ended. */
export type ServedConnections = Map<HubConnection, ServedConnection>;

/** One connection of a hub. There are many, so each member is made on its first use. */
export class ServedConnection implements CallingConnection {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  /** Told when the connection has ended. */
  readonly owner: NewConnection["owner"] | undefined;
  readonly #connection: HubConnection;
  readonly #parts: ServedParts;
  #invocations: Invocations | undefined;
  #items: Map<unknown, unknown> | undefined;
  #abort: (() => void) | undefined;

  /** `items` are those that the connection had at another node. */
  constructor(
    connection: HubConnection,
    from: UserConnection,
    parts: ServedParts,
    items?: Map<unknown, unknown>,
  ) {
    const { user, request, owner } = from;
    this.#items = items;
    this.user = user;
    this.request = request;
    this.owner = owner;
    this.#connection = connection;
    this.#parts = parts;
  }

  /** The calls of the client; `undefined` before its first message. */
  get invocations(): Invocations | undefined {
    return this.#invocations;
  }

  /** Dispatches a message of the client; returns a promise while no further call may begin. */
  receive(message: HubMessage, record: TextOrBytes): Promise<void> | undefined {
    this.#invocations ??= new Invocations(this.#parts.dispatch, this.#connection, this);
    return this.#invocations.receive(message, record);
  }

  get connectionId(): string {
    return this.#connection.id;
  }

  get items(): Map<unknown, unknown> {
    return this.#items ??= new Map();
  }

  get groups(): HubGroups {
    return new RoutedGroups(this.#parts.router, this.#connection);
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** A bound function, because methods destructure their context. */
  get abort(): () => void {
    return this.#abort ??= () => this.#connection.close({ message: { type: MessageType.Close } });
  }

  clients(beforeInvoke: () => void): HubCallerClients<never> {
    const { router } = this.#parts;
    return new RoutedCallerClients<never>(router, this.#connection.id, beforeInvoke);
  }
}
