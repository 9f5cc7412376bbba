/**
 * Puts filters around methods and hooks, once, when the hub is made live: where there are none, nothing
 * is put around.
 *
 * @module
 */
import type { HubContext, InvocationContext } from "../definition/context.ts";
import type { HubFilter } from "../definition/filter.ts";
import type { MethodCall } from "./method_table.ts";

/** What runs when a connection comes and goes. */
export interface Hooks {
  readonly connected?: (context: HubContext<never, never>) => unknown;
  readonly disconnected?: (context: HubContext<never, never>, error?: Error) => unknown;
}

/** `call` with the filters around it, the first outermost. */
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
      (args) => started(() => run(index + 1, args ? context.withArguments(args) : context)),
    );
  };
  return (context, ...args) => run(0, context.invocation(names.hub, names.method, args));
}

/** The hub's hooks with the filters around them, the first outermost. */
export function filteredHooks(hooks: Hooks, filters: readonly HubFilter[]): Hooks {
  return filters.reduceRight(hooksInside, hooks);
}

function hooksInside(inner: Hooks, filter: HubFilter): Hooks {
  return {
    connected(context) {
      const next = () => started<void>(() => inner.connected?.(context));
      return filter.connected === undefined ? next() : filter.connected(context, next);
    },
    disconnected(context, error) {
      const next = (other = error) => started<void>(() => inner.disconnected?.(context, other));
      return filter.disconnected === undefined ? next() : filter.disconnected(context, error, next);
    },
  };
}

/** Starts what comes next at once. A filter that does not look at the promise leaves no rejection behind. */
function started<T>(next: () => unknown): Promise<T> {
  const result = new Promise<T>((resolve) => resolve(next() as T));
  result.catch(() => {});
  return result;
}
