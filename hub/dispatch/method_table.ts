import type { HubContext } from "../definition/context.ts";
import type { HubPolicy } from "../definition/policy.ts";
import type { HubFilter } from "../definition/filter.ts";
import type { HubMethodDefinition, HubMethods } from "../definition/hub.ts";
import type { StreamSchemas } from "../definition/method.ts";
import type { ResolvedDispatchOptions } from "../options/dispatch.ts";
import type { ClientResults } from "../routing/client_results.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { StandardSchema } from "../definition/schema.ts";
import { filteredCall } from "./filters.ts";
import { type Guard, guardFor, type GuardParts, type MethodCall } from "./guard.ts";
import { countParameters, type ParameterCount } from "./parameters.ts";

/** A method that clients may call. */
export interface CallableMethod {
  /** The name, as the hub spells it. */
  readonly name: string;
  /** The function, wrapped in the filters. */
  readonly call: MethodCall;
  /** The number of its arguments. */
  readonly parameters: ParameterCount;
  /** Whether the method streams: its function is a generator. */
  readonly streams: boolean;
  /** Checks a call before the method runs. */
  readonly guard: Guard | undefined;
  /** The schemas for the items of the client's streams. */
  readonly itemSchemas: readonly StandardSchema[] | undefined;
}

/** The parts that the calls of all connections of a hub share. */
export interface DispatchParts {
  readonly methods: MethodTable;
  readonly results: Pick<ClientResults, "complete">;
  readonly limitedLog: LimitedLog;
  readonly scheduler: Pick<Scheduler, "spend">;
  readonly options: ResolvedDispatchOptions;
}

/** The settings that all methods of a hub share. */
export interface HubDefaults {
  /** The name of the hub. */
  readonly hub: string;
  /** The filters of the server, then the filters of the hub. */
  readonly filters: readonly HubFilter[];
  /** The policies of the server and of the hub. */
  readonly policies: readonly HubPolicy[];
  readonly detailedErrors: boolean;
  readonly limitedLog: LimitedLog;
}

/** The methods of a hub by name. Names ignore case; nothing else can be called. */
export class MethodTable {
  readonly #methods = new Map<string, CallableMethod>();

  constructor(methods: HubMethods, defaults: HubDefaults) {
    for (const [name, method] of Object.entries(methods)) {
      this.#methods.set(name.toLowerCase(), callable(name, method, defaults));
    }
  }

  /** The method with that name, or `undefined`. */
  find(name: string): CallableMethod | undefined {
    return this.#methods.get(name.toLowerCase());
  }
}

function callable(
  method: string,
  entry: HubMethods[string],
  { filters, ...defaults }: HubDefaults,
): CallableMethod {
  const { handler, authorize, args, streams }: MethodParts = typeof entry === "function"
    ? { handler: entry }
    : entry;
  return {
    name: method,
    call: filteredCall(handler as HubCall, { hub: defaults.hub, method }, filters),
    parameters: args === undefined
      ? countParameters(handler)
      : { least: args.length, most: args.length, streams: streamCount(streams) },
    streams: /Generator/.test(Object.prototype.toString.call(handler)),
    guard: guardFor({
      ...defaults,
      method,
      schemas: args ?? [],
      authorize: authorize as GuardParts["authorize"],
    }),
    itemSchemas: typeof streams === "object" && streams.length > 0 ? streams : undefined,
  };
}

/** A method as the dispatcher calls it; the declared parameters are not known to it. */
type HubCall = (context: HubContext<never, never>, ...args: unknown[]) => unknown;

/** The object that `method()` makes. */
interface MethodParts extends HubMethodDefinition {
  readonly args?: readonly StandardSchema[];
  readonly streams?: StreamSchemas;
}

function streamCount(streams: StreamSchemas = 0): number {
  return typeof streams === "number" ? streams : streams.length;
}
