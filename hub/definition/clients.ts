/**
 * Whom a message goes to: `clients.group("x").send("method", …)`.
 *
 * @module
 */
import type { InvokeOptions } from "../routing/client_results.ts";
import type { Router } from "../routing/router.ts";

export type { InvokeOptions };

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

/** Sends; returns nothing if the bus has nothing to accept. */
type Deliver = (method: string, args: readonly unknown[]) => Promise<void> | undefined;

/** What `send` returns when nothing goes to the bus. */
const DONE = Promise.resolve();

let latest: Promise<void> | undefined;

/** Whether `value` is the promise that `send` has returned last: for who called it in the same turn. */
export function isLatestSend(value: unknown): boolean {
  return latest !== undefined && value === latest;
}

/** Whether `value` is what `send` returns when it needs nothing of the bus: all is done. */
export function isDone(value: unknown): boolean {
  return value === DONE;
}

class RoutedProxy<C> implements ClientProxy<C> {
  readonly #deliver: Deliver;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  send(method: string, ...args: readonly unknown[]): Promise<void> {
    let sent: Promise<void> | undefined;
    try {
      sent = this.#deliver(method, args);
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent?.catch(ignore);
    return latest = sent ?? DONE;
  }
}

function ignore(): void {}

/** Called before a result is asked for; throws if that is not allowed here. */
export type BeforeInvoke = () => void;

const DEFAULTS: InvokeOptions = {};

class RoutedSingleProxy<C> extends RoutedProxy<C> implements SingleClientProxy<C> {
  readonly #router: Router;
  readonly #connectionId: string;
  readonly #before: BeforeInvoke | undefined;
  readonly #options: InvokeOptions;

  constructor(
    router: Router,
    connectionId: string,
    before?: BeforeInvoke,
    options: InvokeOptions = DEFAULTS,
  ) {
    super((method, args) => router.sendConnection(connectionId, method, args));
    this.#router = router;
    this.#connectionId = connectionId;
    this.#before = before;
    this.#options = options;
  }

  invoke(method: string, ...args: readonly unknown[]): Promise<never> {
    const result = this.#ask(method, args);
    // As with `send`: a client's error must not end the process where nobody waits for its result.
    result.catch(() => {});
    return result;
  }

  with(options: InvokeOptions): SingleClientProxy<C> {
    return new RoutedSingleProxy(this.#router, this.#connectionId, this.#before, options);
  }

  // What the client returns is what its interface says; nothing here can check that.
  // deno-lint-ignore require-await -- a refusal must reject and not throw
  async #ask(method: string, args: readonly unknown[]): Promise<never> {
    this.#before?.();
    const { results } = this.#router;
    return results.invoke(this.#connectionId, method, args, this.#options) as Promise<never>;
  }
}

/** {@link HubClients} over a router. */
export class RoutedClients<C> implements HubClients<C> {
  readonly #router: Router;
  readonly #before: BeforeInvoke | undefined;

  constructor(router: Router, before?: BeforeInvoke) {
    this.#router = router;
    this.#before = before;
  }

  get all(): ClientProxy<C> {
    return new RoutedProxy((method, args) => this.#router.sendAll(method, args));
  }

  allExcept(connectionIds: readonly string[]): ClientProxy<C> {
    return new RoutedProxy((method, args) => this.#router.sendAll(method, args, connectionIds));
  }

  client(connectionId: string): SingleClientProxy<C> {
    return new RoutedSingleProxy(this.#router, connectionId, this.#before);
  }

  clients(connectionIds: readonly string[]): ClientProxy<C> {
    return new RoutedProxy((method, args) =>
      this.#router.sendConnections(connectionIds, method, args)
    );
  }

  group(name: string): ClientProxy<C> {
    return new RoutedProxy((method, args) => this.#router.sendGroup(name, method, args));
  }

  groups(names: readonly string[]): ClientProxy<C> {
    return new RoutedProxy((method, args) => this.#router.sendGroups(names, method, args));
  }

  groupExcept(name: string, connectionIds: readonly string[]): ClientProxy<C> {
    return new RoutedProxy((method, args) =>
      this.#router.sendGroup(name, method, args, connectionIds)
    );
  }

  user(id: string): ClientProxy<C> {
    return this.users([id]);
  }

  users(ids: readonly string[]): ClientProxy<C> {
    return new RoutedProxy((method, args) => this.#router.sendUsers(ids, method, args));
  }
}

/** {@link HubCallerClients} over a router. */
export class RoutedCallerClients<C> extends RoutedClients<C> implements HubCallerClients<C> {
  readonly #connectionId: string;

  constructor(router: Router, connectionId: string, before: BeforeInvoke) {
    super(router, before);
    this.#connectionId = connectionId;
  }

  get caller(): SingleClientProxy<C> {
    return this.client(this.#connectionId);
  }

  get others(): ClientProxy<C> {
    return this.allExcept([this.#connectionId]);
  }

  othersInGroup(name: string): ClientProxy<C> {
    return this.groupExcept(name, [this.#connectionId]);
  }
}
