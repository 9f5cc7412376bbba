/**
 * The clients that a message goes to: `clients.group("x").send("method", …)`.
 *
 * @module
 */

/** The timeout of a client's result, and a signal that ends the wait earlier. */
export interface InvokeOptions {
  /**
   * How long the client may take to answer, in milliseconds, 1 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /** Ends the wait; the promise rejects with `Invocation canceled by the server.` */
  readonly signal?: AbortSignal;
}

/** Calls client methods on a set of connections. `C` is the interface that the clients implement. */
export interface ClientProxy<C> {
  /**
   * Calls `method` on every connection of the set. Before `send` returns, the message is serialised,
   * handed to the backplane and delivered to the members on this node, so messages leave in call order.
   *
   * The promise may be ignored: it never becomes an unhandled rejection. A hub method that returns the
   * promise itself, `return clients.all.send(…)` in a function that is not `async`, lets the next call of
   * its client begin while the bus accepts the message. If the interface of the clients is not known (in
   * a hub method whose context is not annotated), no method can be named.
   *
   * @returns once the bus has accepted the message, and most of its clients on this node can take another;
   * clients may not have received the message yet.
   * @throws {TypeError} if an argument cannot be serialised; nothing is delivered then.
   * @throws {RangeError} if the message is larger than `maximumSendMessageSize`; nothing is delivered then.
   * @throws {HubError} if a group name, user id or connection id is empty or too long; nothing is
   * delivered then.
   * @throws {BackplaneUnavailableError} if members on other nodes may not have the message; its
   * `deliveredLocally` tells whether members here have it. Do not repeat it blindly.
   * @throws {BackplaneError} with the same property, if the bus refuses the message: the message is too
   * large or forbidden, or the backplane is closed (`BackplaneClosedError`).
   */
  send<K extends [C] extends [never] ? never : keyof C & string>(
    method: K,
    ...args: C[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<void>;
}

/**
 * The names of the methods of `C` that have a result. A client whose method returns nothing answers
 * with an error; a method that returns `null` has a result.
 */
export type ResultMethod<C> = [C] extends [never] ? never
  :
    & {
      [K in keyof C]: C[K] extends (...args: never[]) => infer R
        ? unknown extends R ? K : [Awaited<R>] extends [void] ? never : K
        : never;
    }[keyof C]
    & string;

/** Calls client methods on one connection, and asks for their results. */
export interface SingleClientProxy<C> extends ClientProxy<C> {
  /**
   * Calls `method` on the connection, on this node or another, and resolves with the returned value or
   * with `null`. Within a hub method, other calls of the same client go on meanwhile. Within `connected`
   * and `disconnected` the promise rejects, because no message of the client is read there.
   *
   * The promise may be ignored: it never becomes an unhandled rejection.
   *
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if the timeout of {@link with} is out of its range.
   * @throws {HubError} with the client's error, after the timeout, when the signal is aborted, if the id
   * cannot be one, or if the client owes `maximumPendingResultsPerConnection` results.
   * @throws {ClientConnectionError} if the connection does not exist, or ends before it has answered.
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

/** The sets of clients that can be addressed from anywhere. */
export interface HubClients<C> {
  /** Every connection of the hub. */
  readonly all: ClientProxy<C>;
  /** Every connection except the given ones. */
  allExcept(connectionIds: readonly string[]): ClientProxy<C>;
  /** One connection; an unknown id is not an error. */
  client(connectionId: string): SingleClientProxy<C>;
  /** Several connections. */
  clients(connectionIds: readonly string[]): ClientProxy<C>;
  /** The members of a group. */
  group(name: string): ClientProxy<C>;
  /** The members of several groups; a connection in two of the groups gets two copies. */
  groups(names: readonly string[]): ClientProxy<C>;
  /** The members of a group except the given connections. */
  groupExcept(name: string, connectionIds: readonly string[]): ClientProxy<C>;
  /** Every connection of a user. */
  user(id: string): ClientProxy<C>;
  /** Every connection of several users. */
  users(ids: readonly string[]): ClientProxy<C>;
}

/** The sets of clients that can be addressed from a hub method. */
export interface HubCallerClients<C> extends HubClients<C> {
  /** The connection that called. */
  readonly caller: SingleClientProxy<C>;
  /** Every connection except the caller. */
  readonly others: ClientProxy<C>;
  /** The members of a group except the caller. */
  othersInGroup(name: string): ClientProxy<C>;
}

/** Adds connections to groups and removes them. */
export interface HubGroups {
  /**
   * Adds a connection, on this node or another, to a group. Resolves when the connection receives all
   * later messages to the group. Adding a member again is not an error.
   *
   * @throws {HubError} if the group's name is empty or too long, if the id is not text of 1 to 256 bytes, or if
   * the connection has as many groups, or the node as many changes under way, as the options allow.
   * @throws {GroupAckTimeoutError} if no node has the connection, or none answers within `groupAckTimeout`.
   * @throws {BackplaneUnavailableError} if the bus is needed and away; the connection does not join then.
   */
  add(connectionId: string, group: string): Promise<void>;
  /**
   * Removes a connection from a group; a connection of this node leaves at once. Removing a connection that
   * is not a member is not an error. Throws as {@link add}.
   */
  remove(connectionId: string, group: string): Promise<void>;
}
