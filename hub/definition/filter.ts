/**
 * Code around every call and every connection of a hub.
 *
 * @module
 */
import type { HubContext, HubUser } from "./context.ts";

/** A call, as filters see it: a method's context and what is called. */
export interface HubInvocationContext<C, U extends HubUser = HubUser> extends HubContext<C, U> {
  /** The hub's name; by default its path without the leading slash. */
  readonly hub: string;
  /** The method's name, as the hub has it. */
  readonly method: string;
  /** What the method is called with, streams of the client last. */
  readonly args: readonly unknown[];
}

/**
 * What runs around the methods and hooks of a hub. Filters of the server stand around those of the
 * hub, and in each list the first around the second; each decides whether and when to call `next`.
 *
 * Annotate the context to say which clients and which user a filter expects.
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
   * Runs in place of a call that is allowed and whose arguments are right. What it returns is the
   * call's result, or its stream; what it throws is the call's error, of which the client sees the text
   * if it is a `HubError`.
   *
   * `next()` goes on to the next filter, and in the end to the method, with the same arguments or with
   * those that it is given; it resolves with the result, for a method that streams with its stream. A
   * stream that is neither returned nor read has to be ended by the filter.
   */
  readonly invoke?: (
    context: HubInvocationContext<never, never>,
    next: (args?: readonly unknown[]) => Promise<unknown>,
  ) => unknown;
  /**
   * Runs when a connection is there, before anything that it sent; throwing refuses it. `next()` goes
   * on to the next filter, and in the end to the hub's `connected`.
   */
  readonly connected?: (
    context: HubContext<never, never>,
    next: () => Promise<void>,
  ) => unknown;
  /**
   * Runs once when a connection has gone, and only if no `connected` threw. `error` is `undefined` for
   * an orderly end. `next()` goes on to the next filter, and in the end to the hub's `disconnected`,
   * with the same error or with the one that it is given.
   */
  readonly disconnected?: (
    context: HubContext<never, never>,
    error: Error | undefined,
    next: (error?: Error) => Promise<void>,
  ) => unknown;
}

const HOOKS = ["invoke", "connected", "disconnected"] as const;

/**
 * Returns normally if `filters` is a list of filters.
 *
 * @throws {TypeError} if it is not; `task` says what could not be done.
 */
export function checkFilters(filters: readonly HubFilter[], task: string): void {
  if (!Array.isArray(filters)) throw new TypeError(`${task}: filters is no list`);
  for (const filter of filters as readonly unknown[]) {
    if (typeof filter !== "object" || filter === null) {
      throw new TypeError(`${task}: a filter is no object`);
    }
    for (const hook of HOOKS) {
      const value = (filter as HubFilter)[hook];
      if (value === undefined || typeof value === "function") continue;
      throw new TypeError(`${task}: a filter's ${hook} is not a function`);
    }
  }
}
