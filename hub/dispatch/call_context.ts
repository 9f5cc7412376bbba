import type { HubCallerClients, HubGroups } from "../definition/clients.ts";
import type {
  HubContext,
  HubInvocationContext,
  HubRequest,
  HubUser,
} from "../definition/context.ts";
import type { InvocationMessage, StreamInvocationMessage } from "../protocol/messages.ts";

/** A message that calls a method. */
export type Call = InvocationMessage | StreamInvocationMessage;

/** The connection that calls come from; all contexts of the connection share it. */
export interface CallingConnection {
  readonly connectionId: string;
  readonly user: HubUser | undefined;
  readonly request: HubRequest;
  readonly items: Map<unknown, unknown>;
  /** The clients that messages can be sent to; `beforeInvoke` runs before a client is asked for a result. */
  clients(beforeInvoke: () => void): HubCallerClients<never>;
  readonly groups: HubGroups;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** Ends the connection; the client does not reconnect. */
  abort(): void;
}

/** The part of a context that differs between the calls of a connection. */
export interface CallState {
  /** Aborted when the call is cancelled, or when its connection ends. */
  readonly signal: AbortSignal;
  /** Runs before a client is asked for a result. */
  beforeInvoke(): void;
}

/** The context of one call. There is one for each call, so it holds two references and no more. */
export class CallContext implements HubContext<never, never> {
  readonly #connection: CallingConnection;
  readonly #call: CallState;

  constructor(connection: CallingConnection, call: CallState) {
    this.#connection = connection;
    this.#call = call;
  }

  get connectionId(): string {
    return this.#connection.connectionId;
  }

  get user(): never {
    // A method declares the type of user that it expects; `authenticate` returned the user.
    return this.#connection.user as never;
  }

  get request(): HubRequest {
    return this.#connection.request;
  }

  get items(): Map<unknown, unknown> {
    return this.#connection.items;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get clients(): HubCallerClients<never> {
    return this.#connection.clients(() => this.#call.beforeInvoke());
  }

  get groups(): HubGroups {
    return this.#connection.groups;
  }

  /** A bound function, because methods destructure the context: `({ abort }) => …`. */
  get abort(): () => void {
    return this.#connection.abort;
  }

  /** The same context together with the called method, for filters and policies. */
  invocation(hub: string, method: string, args: readonly unknown[]): InvocationContext {
    return new InvocationContext(this.#connection, this.#call, { hub, method, args });
  }
}

/** The context of one call with the called method. Only filters and policies need it. */
export class InvocationContext extends CallContext implements HubInvocationContext<never, never> {
  readonly hub: string;
  readonly method: string;
  readonly args: readonly unknown[];

  constructor(
    connection: CallingConnection,
    call: CallState,
    called: Pick<InvocationContext, "hub" | "method" | "args">,
  ) {
    super(connection, call);
    this.hub = called.hub;
    this.method = called.method;
    this.args = called.args;
  }

  /** The same context with other arguments. */
  withArguments(args: readonly unknown[]): InvocationContext {
    return this.invocation(this.hub, this.method, args);
  }
}
