/**
 * The context that a hub method receives.
 *
 * @module
 */
import type { HubCallerClients, HubGroups } from "./clients.ts";

/** The user of a connection, as `authenticate` returns it. Extend it with the fields that methods need. */
export interface HubUser {
  /** The id that `clients.user(id)` takes; all connections of the user have this id. */
  readonly id: string;
  /**
   * The time at which the authentication expires. With `closeOnAuthenticationExpiration` the connection
   * is closed at that time, and the client may reconnect. Without `expires` the authentication is valid
   * for as long as the connection lasts.
   */
  readonly expires?: Date | undefined;
}

/** The request that opened a connection. */
export interface HubRequest {
  /** The complete URL, query included. */
  readonly url: string;
  /** A copy of the headers of the request. */
  readonly headers: Headers;
}

/**
 * The call of a hub method, and its connection. `C` is the interface that the clients implement, `U` the
 * user that `authenticate` returns.
 */
export interface HubContext<C, U extends HubUser = HubUser> {
  /** The public id of the calling connection. */
  readonly connectionId: string;
  /** The user of the connection; `undefined` for an anonymous client. */
  readonly user: U | undefined;
  /** The request that opened the connection. */
  readonly request: HubRequest;
  /** Values that the hub keeps for the connection, until the connection ends. */
  readonly items: Map<unknown, unknown>;
  /**
   * Aborted when the client cancels this invocation, or when the connection ends. The signal of a stream,
   * or of an invocation with uploads, is also aborted when the server drains; `signal.reason` is then a
   * {@link HubError} that tells the client so when it is thrown.
   */
  readonly signal: AbortSignal;
  /** The clients that messages can be sent to. */
  readonly clients: HubCallerClients<C>;
  /** Adds connections to groups and removes them. */
  readonly groups: HubGroups;
  /** Ends the connection; the client does not reconnect. */
  abort(): void;
}

/** A call as filters see it: the context of the method, and the called method. */
export interface HubInvocationContext<C, U extends HubUser = HubUser> extends HubContext<C, U> {
  /** The name of the hub; by default its path without the leading slash. */
  readonly hub: string;
  /** The name of the method, as the hub spells it. */
  readonly method: string;
  /** The arguments of the method; streams of the client come last. */
  readonly args: readonly unknown[];
}
