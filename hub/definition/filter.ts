/**
 * Code around every call and every connection of a hub.
 *
 * @module
 */
import { checkNames, type NamesOf } from "../options/known.ts";
import type { HubContext, HubInvocationContext } from "./context.ts";

/**
 * Code that runs around the methods and hooks of a hub. The filters of the server run outside the
 * filters of the hub; in each list the first filter is the outermost. A filter decides whether and when
 * to call `next`, and may call it once: a second call throws.
 *
 * A context that is not annotated has a user of type `HubUser` and no clients that a method could be
 * called on. Annotate the context to say which clients and which user a filter expects.
 *
 * @example
 * ```ts
 * import { defineHub, type HubContext, type HubFilter } from "@hubplane/hubplane";
 *
 * const timing: HubFilter = {
 *   async invoke({ hub, method }, next) {
 *     const start = performance.now();
 *     try {
 *       return await next();
 *     } finally {
 *       console.log(`${hub}.${method} took ${performance.now() - start} ms`);
 *     }
 *   },
 * };
 *
 * const hub = defineHub({
 *   filters: [timing],
 *   methods: { add: (_context: HubContext<Record<never, never>>, a: number, b: number) => a + b },
 * });
 * ```
 */
export interface HubFilter {
  /**
   * Runs in place of a call that is allowed and whose arguments are valid. The returned value is the
   * result of the call, or its stream. A thrown error is the error of the call; the client sees the text
   * of a `HubError`.
   *
   * `next()` calls the next filter, and behind the last filter the method, with the same arguments or
   * with the given ones. It resolves with the result, or with the stream of a method that streams. A
   * filter must end a stream that it neither returns nor reads.
   *
   * A method that ends with `return clients.….send(…)` lets the next call of its client begin while the
   * bus accepts the message. A filter keeps that if it returns the promise of `next()` itself:
   * `invoke: (context, next) => next()`. An `async` filter waits for the bus, because its promise is
   * another one.
   */
  invoke?(
    context: HubInvocationContext<never>,
    next: (args?: readonly unknown[]) => Promise<unknown>,
  ): unknown;
  /**
   * Runs for a new connection, before the first message of its client is dispatched. A throw refuses the
   * connection. `next()` calls the next filter, and behind the last filter the hub's `connected`.
   */
  connected?(context: HubContext<never>, next: () => Promise<void>): unknown;
  /**
   * Runs when a connection that was at another node goes on at this one, before the next message of its
   * client is dispatched. A throw ends the connection. `next()` calls the next filter, and behind the last
   * filter the hub's `resumed`.
   */
  resumed?(context: HubContext<never>, next: () => Promise<void>): unknown;
  /**
   * Runs once when a connection has ended, and only if no `connected` threw. `error` is `undefined` for
   * an orderly end. `next()` calls the next filter, and behind the last filter the hub's `disconnected`,
   * with the same error or with the given one.
   */
  disconnected?(
    context: HubContext<never>,
    error: Error | undefined,
    next: (error?: Error) => Promise<void>,
  ): unknown;
}

const HOOKS: NamesOf<HubFilter> = {
  invoke: true,
  connected: true,
  resumed: true,
  disconnected: true,
};

/**
 * Checks that `filters` is an array of filters.
 *
 * @throws {TypeError} if it is not, or a filter has a member that is not known; the text begins with `task`.
 */
export function checkFilters(filters: readonly HubFilter[], task: string): void {
  if (!Array.isArray(filters)) throw new TypeError(`${task}: filters is not an array`);
  for (const filter of filters as readonly unknown[]) {
    if (typeof filter !== "object" || filter === null) {
      throw new TypeError(`${task}: a filter is not an object`);
    }
    // The object of a class may have fields of its own.
    if (Object.getPrototypeOf(filter) === Object.prototype) {
      checkNames(filter, HOOKS, `${task}: a filter`);
    }
    for (const hook of Object.keys(HOOKS) as (keyof HubFilter)[]) {
      const value = (filter as HubFilter)[hook];
      if (value === undefined || typeof value === "function") continue;
      throw new TypeError(`${task}: a filter's ${hook} is not a function`);
    }
  }
}
