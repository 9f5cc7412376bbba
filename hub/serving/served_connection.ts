import type { HubCallerClients, HubGroups } from "../definition/clients.ts";
import type { HubConnection } from "../connection/connection.ts";
import type { PipeOwner } from "../connection/pipe.ts";
import type { ConnectionState, HubRequest, HubUser } from "../definition/context.ts";
import { type DispatchOptions, Invocations } from "../dispatch/invocations.ts";
import { MessageType } from "../protocol/messages.ts";
import { RoutedCallerClients } from "../routing/proxies.ts";
import type { Router } from "../routing/router.ts";

/** What a {@link Member} keeps of how its connection came. */
export interface MemberOrigin {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  readonly owner?: PipeOwner;
}

/** What all members of a hub share. */
export interface MemberParts {
  readonly router: Router;
  readonly dispatch: DispatchOptions;
}

/** What a hub keeps of one connection: there are many, so that nothing is made before it is needed. */
export class Member implements ConnectionState {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  /** Who is told when its connection has ended. */
  readonly owner: PipeOwner | undefined;
  readonly #connection: HubConnection;
  readonly #parts: MemberParts;
  #invocations: Invocations | undefined;
  #items: Map<unknown, unknown> | undefined;
  #abort: (() => void) | undefined;

  constructor(
    connection: HubConnection,
    { user, request, owner }: MemberOrigin,
    parts: MemberParts,
  ) {
    this.user = user;
    this.request = request;
    this.owner = owner;
    this.#connection = connection;
    this.#parts = parts;
  }

  /** Its calls. */
  get invocations(): Invocations {
    return this.#invocations ??= new Invocations(this.#parts.dispatch, this.#connection, this);
  }

  get connectionId(): string {
    return this.#connection.id;
  }

  get items(): Map<unknown, unknown> {
    return this.#items ??= new Map();
  }

  get groups(): HubGroups {
    return this.#parts.router.groups;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** A function of its own: methods take it out of their context. */
  get abort(): () => void {
    return this.#abort ??= () => this.#connection.close({ message: { type: MessageType.Close } });
  }

  clients(beforeInvoke: () => void): HubCallerClients<never> {
    const { router } = this.#parts;
    return new RoutedCallerClients<never>(router, this.#connection.id, beforeInvoke);
  }
}
