/**
 * What a hub method receives.
 *
 * @module
 */
import type { HubCallerClients, HubGroups } from "./clients.ts";
import type { HubInvocationContext } from "./filter.ts";

/** Who a connection belongs to, as `authenticate` says. Extend it with whatever methods need. */
export interface HubUser {
  /** The name that `clients.user(id)` reaches; every connection of the user has it. */
  readonly id: string;
  /**
   * Until when the authentication is good: with `closeOnAuthenticationExpiration` the connection is
   * closed then, and the client may reconnect. Absent: for as long as the connection lasts.
   */
  readonly expires?: Date | undefined;
}

/** The request that opened a connection. */
export interface HubRequest {
  /** The complete URL, query included. */
  readonly url: string;
  /** A copy of its headers. */
  readonly headers: Headers;
}

/**
 * What a hub method knows of its call. `C` is the interface that the clients implement, `U` the
 * user that `authenticate` returns.
 */
export interface HubContext<C, U extends HubUser = HubUser> {
  /** The public id of the calling connection. */
  readonly connectionId: string;
  /** Its user; `undefined` if it is anonymous. */
  readonly user: U | undefined;
  /** The request that opened it. */
  readonly request: HubRequest;
  /** What the hub wants to remember of the connection, gone with it. */
  readonly items: Map<unknown, unknown>;
  /** Aborted when the client cancels this invocation, or its connection is gone. */
  readonly signal: AbortSignal;
  /** Whom messages can go to. */
  readonly clients: HubCallerClients<C>;
  /** Which connections are in which groups. */
  readonly groups: HubGroups;
  /** Ends the connection; the client does not reconnect. */
  abort(): void;
}

/** What a connection's contexts share. */
export interface ConnectionState {
  readonly connectionId: string;
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  readonly items: Map<unknown, unknown>;
  /** Whom messages can go to; `beforeInvoke` is called before a client's result is asked for. */
  clients(beforeInvoke: () => void): HubCallerClients<never>;
  readonly groups: HubGroups;
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal;
  /** Ends the connection for good. */
  abort(): void;
}

/** What a context needs of its call. */
export interface CallState {
  /** Aborted when the call is cancelled, or its connection is gone. */
  readonly signal: AbortSignal;
  /** Called before a client's result is asked for. */
  beforeInvoke(): void;
}

/** The context of one call; made per call, so it only points to what there is. */
export class CallContext implements HubContext<never, never> {
  readonly #state: ConnectionState;
  readonly #call: CallState;

  constructor(state: ConnectionState, call: CallState) {
    this.#state = state;
    this.#call = call;
  }

  get connectionId(): string {
    return this.#state.connectionId;
  }

  get user(): never {
    // Methods declare which user they expect; `authenticate` made it.
    return this.#state.user as never;
  }

  get request(): HubRequest {
    return this.#state.request;
  }

  get items(): Map<unknown, unknown> {
    return this.#state.items;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get clients(): HubCallerClients<never> {
    return this.#state.clients(() => this.#call.beforeInvoke());
  }

  get groups(): HubGroups {
    return this.#state.groups;
  }

  /** A function of its own, because methods take the context apart: `({ abort }) => …`. */
  get abort(): () => void {
    return this.#state.abort;
  }

  /** This context with what is called, for those who look at calls from outside. */
  invocation(hub: string, method: string, args: readonly unknown[]): InvocationContext {
    return new InvocationContext(this.#state, this.#call, { hub, method, args });
  }
}

/** The context of one call with what is called; made only where somebody looks at it. */
export class InvocationContext extends CallContext implements HubInvocationContext<never, never> {
  readonly hub: string;
  readonly method: string;
  readonly args: readonly unknown[];

  constructor(
    state: ConnectionState,
    call: CallState,
    called: Pick<InvocationContext, "hub" | "method" | "args">,
  ) {
    super(state, call);
    this.hub = called.hub;
    this.method = called.method;
    this.args = called.args;
  }

  /** The same with other arguments. */
  withArguments(args: readonly unknown[]): InvocationContext {
    return this.invocation(this.hub, this.method, args);
  }
}
