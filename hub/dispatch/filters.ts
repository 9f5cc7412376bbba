/**
 * Wraps methods and hooks in filters, once for each hub of a server. Without filters nothing is wrapped.
 *
 * @module
 */
import type { HubContext } from "../definition/context.ts";
import type { HubFilter } from "../definition/filter.ts";
import { isSent } from "../definition/sent.ts";
import type { InvocationContext } from "./call_context.ts";
import type { MethodCall } from "./guard.ts";

/** The functions that run when a connection has come, has moved here and has ended. */
export interface Hooks {
  readonly connected?: (context: HubContext<never, never>) => unknown;
  readonly resumed?: (context: HubContext<never, never>) => unknown;
  readonly disconnected?: (context: HubContext<never, never>, error?: Error) => unknown;
}

/** Wraps `call` in the filters; the first filter is the outermost. */
export function filteredCall(
  call: MethodCall,
  names: { readonly hub: string; readonly method: string },
  filters: readonly HubFilter[],
): MethodCall {
  const around = filters.filter(({ invoke }) => invoke !== undefined);
  if (around.length === 0) return call;
  const run = (index: number, context: InvocationContext): unknown => {
    const filter = around[index];
    if (filter?.invoke === undefined) return call(context, ...context.args);
    return filter.invoke(
      context,
      once((args) => run(index + 1, args ? context.withArguments(args) : context)),
    );
  };
  return (context, ...args) => run(0, context.invocation(names.hub, names.method, args));
}

/** Wraps the hooks of the hub in the filters; the first filter is the outermost. */
export function filteredHooks(hooks: Hooks, filters: readonly HubFilter[]): Hooks {
  return filters.reduceRight(hooksInside, hooks);
}

function hooksInside(inner: Hooks, filter: HubFilter): Hooks {
  return {
    connected(context) {
      if (filter.connected === undefined) return inner.connected?.(context);
      return filter.connected(context, once(() => inner.connected?.(context)));
    },
    resumed(context) {
      if (filter.resumed === undefined) return inner.resumed?.(context);
      return filter.resumed(context, once(() => inner.resumed?.(context)));
    },
    disconnected(context, error) {
      if (filter.disconnected === undefined) return inner.disconnected?.(context, error);
      const next = (other = error) => inner.disconnected?.(context, other);
      return filter.disconnected(context, error, once(next));
    },
  };
}

/**
 * The `next` of one run of a filter. It runs at once, and a second call throws. A filter may ignore the
 * promise: its rejection is never unhandled.
 */
function once<A extends unknown[], T>(next: (...args: A) => unknown): (...args: A) => Promise<T> {
  let called = false;
  return (...args) => {
    if (called) throw new Error("Cannot call next(): the filter has called it before");
    called = true;
    let returned: unknown;
    try {
      returned = next(...args);
    } catch (error) {
      returned = Promise.reject(error);
    }
    // The promise of a `send` stays itself: it tells that the method has ended.
    const result = isSent(returned) ? returned : Promise.resolve(returned);
    result.catch(() => {});
    return result as Promise<T>;
  };
}
