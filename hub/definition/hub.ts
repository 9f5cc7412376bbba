/**
 * The hub a user writes: plain functions that clients call.
 *
 * @module
 */
import type { HubPolicy } from "./policy.ts";
import type { HubContext } from "./context.ts";
import { checkFilters, type HubFilter } from "./filter.ts";
import { checkMethod, type MethodPolicy } from "./method.ts";

/**
 * A method as a function: it takes the context first, which must be annotated, then what the client
 * sends.
 */
export type HubFunction = (context: HubContext<never, never>, ...args: never[]) => unknown;

/** A method with what is looked at before it runs; {@link method} makes it. */
export interface HubMethodDefinition {
  /** Says whether the caller may call it. */
  readonly authorize?: MethodPolicy<never[]>;
  /** The method. */
  readonly handler: HubFunction;
}

/** The methods of a hub. */
export type HubMethods = Record<string, HubFunction | HubMethodDefinition>;

/** What {@link defineHub} takes. */
export interface HubDefinition<M extends HubMethods> {
  /**
   * The hub's name, the same on every node: the first part of its channels on the bus. To share a hub
   * with ASP.NET Core nodes, the full name of its class, such as `MyApp.Hubs.ChatHub`. By default the
   * path in `hubs` without its leading slash. Of two hubs on one bus neither name may be the other's
   * beginning up to a `:`, because a `:` also separates the name from what follows it.
   */
  readonly name?: string;
  /**
   * What clients may call, and nothing else; names ignore case. A client must send exactly as many
   * arguments as the function declares after the context, those with defaults included, or at least
   * as many if it ends in a rest parameter; with schemas (see {@link method}) as many as there are.
   */
  readonly methods: M;
  /**
   * Says who may connect, and call which method. Asked after the server's `authorize` and before that
   * of the method; all must say yes.
   */
  readonly authorize?: HubPolicy;
  /** What runs around every call and connection, inside the filters of the server; the first outermost. */
  readonly filters?: readonly HubFilter[];
  /** Called when a connection is there, before anything that it sent; throwing refuses it. */
  readonly connected?: (context: HubContext<never, never>) => unknown;
  /**
   * Called once when a connection has gone, and only if `connected` did not throw. If its client has
   * left, then after the last call that it had sent has begun, or `disconnectTimeout` has passed.
   * `error` is absent for an orderly end.
   */
  readonly disconnected?: (context: HubContext<never, never>, error?: Error) => unknown;
}

/** A hub, ready to be served by {@link createHubServer}; nothing runs before that. */
export interface Hub<M extends HubMethods> extends HubDefinition<M> {
  /** The methods as they were given. */
  readonly methods: M;
}

/**
 * Defines a hub. It does nothing by itself: the same hub can be served by any number of servers.
 *
 * @throws {TypeError} if a method is neither a function nor what {@link method} makes, two names differ
 * only in case, `authorize` or a filter is of the wrong type, or the name is empty or longer than 160
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
  const { name, methods, authorize, filters } = definition;
  if (name !== undefined) checkHubName(name);
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new TypeError("Cannot define hub: authorize is not a function");
  }
  if (filters !== undefined) checkFilters(filters, "Cannot define hub");
  if (typeof methods !== "object" || methods === null) {
    throw new TypeError("Cannot define hub: methods is not an object");
  }
  const seen = new Map<string, string>();
  for (const [method, entry] of Object.entries(methods)) {
    if (typeof entry !== "function") {
      checkMethod(entry, `Cannot define hub: method ${JSON.stringify(method)}`);
    }
    const twin = seen.get(method.toLowerCase());
    if (twin !== undefined) {
      throw new TypeError(
        `Cannot define hub: methods ${JSON.stringify(twin)} and ${
          JSON.stringify(method)
        } differ only in case`,
      );
    }
    seen.set(method.toLowerCase(), method);
  }
  return Object.freeze({ ...definition });
}

/**
 * Returns normally if `name` may name a hub.
 *
 * @throws {TypeError} if it may not.
 */
export function checkHubName(name: string): void {
  if (typeof name !== "string" || name === "" || name.length > 160 || !name.isWellFormed()) {
    throw new TypeError(`Cannot use hub name: ${JSON.stringify(name)} is not 1 to 160 characters`);
  }
}
