import { type HubCallerClients, type HubGroups, RoutedCallerClients } from "./clients.ts";
import type { HubConnection } from "./connection/connection.ts";
import type { ConnectionState, HubRequest, HubUser } from "./context.ts";
import { type DispatchOptions, Invocations } from "./dispatch/invocations.ts";
import { MessageType } from "./protocol/messages.ts";
import type { Router } from "./routing/router.ts";

/** What a {@link Member} is made of. */
export interface MemberParts {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  readonly router: Router;
  readonly dispatch: DispatchOptions;
}

/** What a hub keeps of one connection: there are many, so that nothing is made before it is needed. */
export class Member implements ConnectionState {
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  /** Its calls. */
  readonly invocations: Invocations;
  readonly #connection: HubConnection;
  readonly #router: Router;
  #items: Map<unknown, unknown> | undefined;
  #abort: (() => void) | undefined;

  constructor(connection: HubConnection, { user, request, router, dispatch }: MemberParts) {
    this.user = user;
    this.request = request;
    this.#connection = connection;
    this.#router = router;
    this.invocations = new Invocations(dispatch, connection, this);
  }

  get connectionId(): string {
    return this.#connection.id;
  }

  get items(): Map<unknown, unknown> {
    return this.#items ??= new Map();
  }

  get groups(): HubGroups {
    return this.#router.groups;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** A function of its own: methods take it out of their context. */
  get abort(): () => void {
    return this.#abort ??= () => this.#connection.close({ message: { type: MessageType.Close } });
  }

  clients(beforeInvoke: () => void): HubCallerClients<never> {
    return new RoutedCallerClients<never>(this.#router, this.#connection.id, beforeInvoke);
  }
}
