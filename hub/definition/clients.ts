/**
 * Whom a message goes to: `clients.group("x").send("method", …)`.
 *
 * @module
 */

/** How long to wait for a client's result, and who may give up earlier. */
export interface InvokeOptions {
  /**
   * How long the client may take, in milliseconds, 1 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /** Gives up early; the promise rejects with `Invocation canceled by the server.` */
  readonly signal?: AbortSignal;
}

/** Calls client methods on some set of connections. `C` is the interface that the clients implement. */
export interface ClientProxy<C> {
  /**
   * Calls `method` on every connection of the set. Before this returns, the message is serialised,
   * delivered to the members on this node and handed to the backplane, so messages leave in call order.
   *
   * The promise may be ignored: it never becomes an unhandled rejection. A hub method that ends with it,
   * `return clients.all.send(…)` in a function that is not `async`, lets its client's next call begin
   * while the bus accepts the message: nothing of the method is left to run. Where nothing is known of
   * the clients (a hub method whose context is not annotated), no method may be named.
   *
   * @returns once the bus has accepted the message; it says nothing of receipt by clients.
   * @throws {TypeError} if an argument cannot be serialised; nothing is delivered then.
   * @throws {HubError} if a group name or user id is empty or too long; nothing is delivered then.
   * @throws {BackplaneUnavailableError} if members on other nodes may not have the message; its
   * `deliveredLocally` tells whether members here have it. Do not repeat it blindly.
   * @throws {BackplaneError} with the same, if the bus refuses the message: it is too large, forbidden,
   * or the backplane is closed (`BackplaneClosedError`).
   */
  send<K extends [C] extends [never] ? never : keyof C & string>(
    method: K,
    ...args: C[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<void>;
}

/**
 * The names of the methods of `C` that have a result. A client that returns nothing answers with an
 * error, so only these can be asked for one; a method that returns `null` has one.
 */
export type ResultMethod<C> = [C] extends [never] ? never
  :
    & {
      [K in keyof C]: C[K] extends (...args: never[]) => infer R
        ? unknown extends R ? K : [Awaited<R>] extends [void] ? never : K
        : never;
    }[keyof C]
    & string;

/** Calls client methods on one connection, and can ask for their results. */
export interface SingleClientProxy<C> extends ClientProxy<C> {
  /**
   * Calls `method` on the connection, on this node or another, and resolves with what it returns: a
   * value or `null`.
   * Within a hub method, calls of the same client go on meanwhile; within `connected` and
   * `disconnected` it rejects, because nothing of the client is read there.
   *
   * The promise may be ignored: it never becomes an unhandled rejection.
   *
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if {@link with} was given a timeout out of its range.
   * @throws {HubError} with the client's error, or if the client took too long or was given up.
   * @throws {ClientConnectionError} if the connection does not exist, or goes before it has answered.
   * @throws {BackplaneError} if the connection is on another node and the bus fails.
   */
  invoke<K extends ResultMethod<C>>(
    method: K,
    ...args: C[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<
    C[K] extends (...args: never[]) => infer R ? Exclude<Awaited<R>, void | undefined> : never
  >;
  /** The same connection with other options for {@link invoke}. */
  with(options: InvokeOptions): SingleClientProxy<C>;
}

/** The sets that can be addressed from anywhere. */
export interface HubClients<C> {
  /** Every connection of the hub. */
  readonly all: ClientProxy<C>;
  /** Every connection but those. */
  allExcept(connectionIds: readonly string[]): ClientProxy<C>;
  /** One connection; none of that id is no error. */
  client(connectionId: string): SingleClientProxy<C>;
  /** Several connections. */
  clients(connectionIds: readonly string[]): ClientProxy<C>;
  /** The members of a group. */
  group(name: string): ClientProxy<C>;
  /** The members of several groups; who is in two of them gets two copies. */
  groups(names: readonly string[]): ClientProxy<C>;
  /** The members of a group but those. */
  groupExcept(name: string, connectionIds: readonly string[]): ClientProxy<C>;
  /** Every connection of a user. */
  user(id: string): ClientProxy<C>;
  /** Every connection of several users. */
  users(ids: readonly string[]): ClientProxy<C>;
}

/** The sets that can be addressed from a hub method, which has a caller. */
export interface HubCallerClients<C> extends HubClients<C> {
  /** The connection that called. */
  readonly caller: SingleClientProxy<C>;
  /** Every connection but the one that called. */
  readonly others: ClientProxy<C>;
  /** The members of a group but the one that called. */
  othersInGroup(name: string): ClientProxy<C>;
}

/** Which connections are in which groups. */
export interface HubGroups {
  /**
   * Adds a connection, on this node or another, to a group. Resolves when messages that anyone
   * publishes to the group from then on reach it; a member already is no error.
   *
   * @throws {HubError} if the group's name is empty or too long, or the id is no text of 1 to 256 characters.
   * @throws {GroupAckTimeoutError} if the connection exists nowhere, after `groupAckTimeout`.
   * @throws {BackplaneUnavailableError} if the bus is away and is needed; the connection is then no member.
   */
  add(connectionId: string, group: string): Promise<void>;
  /** Removes a connection from a group, at once where it is on this node; no member is no error. Throws as {@link add}. */
  remove(connectionId: string, group: string): Promise<void>;
}
