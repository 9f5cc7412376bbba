/**
 * A hub as an application writes it: plain functions that clients call.
 *
 * @module
 */
import type { HubPolicy } from "./policy.ts";
import type { HubContext, HubUser } from "./context.ts";
import { checkFilters, type HubFilter } from "./filter.ts";
import { checkMethod } from "./check_method.ts";
import { checkNames, type NamesOf } from "../options/known.ts";
import type { MethodPolicy } from "./method.ts";

/**
 * A method as a function. Its first parameter is the context, which must be annotated; the arguments of
 * the client follow. `U` is the user that the method must take.
 */
export type HubFunction<U extends HubUser = never> = (
  context: HubContext<never, U>,
  ...args: never[]
) => unknown;

/** A method with a policy or with schemas; {@link method} makes it. */
export interface HubMethodDefinition<U extends HubUser = never> {
  /** Decides whether the caller may call the method. */
  readonly authorize?: MethodPolicy<never[]>;
  /** The method. */
  readonly handler: HubFunction<U>;
}

/** The methods of a hub. `U` is the user that each of them must take; by default any. */
export type HubMethods<U extends HubUser = never> = Record<
  string,
  HubFunction<U> | HubMethodDefinition<U>
>;

/** The definition that {@link defineHub} takes. */
export interface HubDefinition<M extends HubMethods> {
  /**
   * The name of the hub, the same on every node: the first part of its channels on the bus. To share a
   * hub with ASP.NET Core nodes, give the full name of its class, such as `MyApp.Hubs.ChatHub`. The
   * default is the path in `hubs` without its leading slash. Two hubs on one bus must not have names such
   * as `a` and `a:b`, because a `:` separates the name from the rest of the channel.
   */
  readonly name?: string;
  /**
   * The methods that clients may call; names ignore case. A client must send exactly as many arguments
   * as the function declares after the context, parameters with defaults included. If the function ends
   * in a rest parameter, the client may send more. With schemas (see {@link method}) the client must
   * send one argument for each schema.
   */
  readonly methods: M;
  /**
   * Decides whether a user may connect, and call a method. Runs after the `authorize` of the server and
   * before the `authorize` of the method; all must return `true`.
   */
  readonly authorize?: HubPolicy;
  /** Filters around calls and connections, inside the filters of the server. The first is the outermost. */
  readonly filters?: readonly HubFilter[];
  /**
   * Called for a new connection, before the first message of its client. A throw refuses the connection.
   * The connection can be reached meanwhile, as in ASP.NET Core, so a client that is refused here may have
   * got messages for `all` and for its user: refuse with `authorize` whom those are kept from.
   */
  connected?(context: HubContext<never>): unknown;
  /**
   * Called when a connection goes on at this node that was at another one, in place of `connected`, before the
   * next message of its client is dispatched. At the other node `disconnected` is not called. The connection
   * has its id, its groups and its `items`; `user` and `request` are those of the request that has come to
   * this node. A throw ends the connection.
   */
  resumed?(context: HubContext<never>): unknown;
  /**
   * Called once when a connection has ended, and only if `connected` did not throw. If the client has
   * gone, the hook runs after the last call of the client has begun, or after `disconnectTimeout`.
   * `error` is absent for an orderly end.
   */
  disconnected?(context: HubContext<never>, error?: Error): unknown;
}

/** A hub for {@link createHubServer}. Nothing of it runs before it is served. */
export interface Hub<M extends HubMethods> extends HubDefinition<M> {
  /** The methods of the definition. */
  readonly methods: M;
}

const MEMBERS: NamesOf<HubDefinition<HubMethods>> = {
  name: true,
  methods: true,
  authorize: true,
  filters: true,
  connected: true,
  resumed: true,
  disconnected: true,
};

/**
 * Defines a hub. Any number of servers can serve the same hub.
 *
 * @throws {TypeError} if a method is neither a function nor made by {@link method}, two names differ
 * only in case, a member is not known or of the wrong type, or the name is empty or longer than 160
 * characters.
 *
 * @example
 * ```ts
 * import { defineHub, type HubContext } from "@hubplane/hubplane";
 *
 * interface ChatClient {
 *   message(room: string, text: string): void;
 * }
 *
 * const chat = defineHub({
 *   methods: {
 *     async say({ clients }: HubContext<ChatClient>, room: string, text: string) {
 *       await clients.group(room).send("message", room, text);
 *     },
 *   },
 * });
 * ```
 */
export function defineHub<const M extends HubMethods>(definition: HubDefinition<M>): Hub<M> {
  checkHub(definition, "Cannot define hub");
  return Object.freeze({ ...definition });
}

/**
 * Checks the definition of a hub.
 *
 * @throws {TypeError} if it is not one; the text begins with `task`.
 */
export function checkHub(definition: unknown, task: string): void {
  if (definition instanceof Promise) throw new TypeError(`${task}: it is a Promise; await it`);
  if (typeof definition !== "object" || definition === null) {
    throw new TypeError(`${task}: it is not a hub; defineHub() makes one`);
  }
  checkNames(definition, MEMBERS, task);
  const hub = definition as HubDefinition<HubMethods>;
  const { name, methods, filters } = hub;
  if (name !== undefined) checkHubName(name);
  for (const member of ["authorize", "connected", "resumed", "disconnected"] as const) {
    if (hub[member] === undefined || typeof hub[member] === "function") continue;
    throw new TypeError(`${task}: ${member} is not a function`);
  }
  if (filters !== undefined) checkFilters(filters, task);
  if (typeof methods !== "object" || methods === null) {
    throw new TypeError(`${task}: methods is not an object`);
  }
  const seen = new Map<string, string>();
  for (const [method, entry] of Object.entries(methods)) {
    if (typeof entry !== "function") {
      checkMethod(entry, `${task}: method ${JSON.stringify(method)}`);
    }
    const twin = seen.get(method.toLowerCase());
    if (twin !== undefined) {
      const names = `${JSON.stringify(twin)} and ${JSON.stringify(method)}`;
      throw new TypeError(`${task}: methods ${names} differ only in case`);
    }
    seen.set(method.toLowerCase(), method);
  }
}

/**
 * Checks the name of a hub.
 *
 * @throws {TypeError} if a hub cannot have this name.
 */
export function checkHubName(name: string): void {
  if (typeof name !== "string" || name === "" || name.length > 160 || !name.isWellFormed()) {
    throw new TypeError(`Cannot use hub name: ${JSON.stringify(name)} is not 1 to 160 characters`);
  }
}
