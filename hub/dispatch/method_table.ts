import type { HubContext } from "../definition/context.ts";
import type { HubPolicy } from "../definition/policy.ts";
import { HubError } from "../definition/errors.ts";
import {
  errorInvoking,
  failedToInvoke,
  streamingNotAsked,
  withDetail,
} from "../connection/error_texts.ts";
import type { HubFilter } from "../definition/filter.ts";
import type { HubMethodDefinition, HubMethods } from "../definition/hub.ts";
import type { StreamSchemas } from "../definition/method.ts";
import type { ResolvedDispatchOptions } from "../options/dispatch.ts";
import { MessageType } from "../protocol/messages.ts";
import type { ClientResults } from "../routing/client_results.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { StandardSchema } from "../definition/schema.ts";
import type { Call } from "./call_context.ts";
import { filteredCall } from "./filters.ts";
import { type Guard, guardFor, type GuardParts, type MethodCall } from "./guard.ts";
import { countParameters, type ParameterCount } from "./parameters.ts";

/** A method that clients may call. */
export interface CallableMethod {
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
  readonly logger: Pick<Console, "error">;
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
  readonly logger: Pick<Console, "error">;
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

/**
 * The text that refuses a call with a wrong number of arguments, in upstream's words; `undefined` if the
 * number is right. Schemas are checked later.
 */
export function bindingRefusal(
  method: CallableMethod | undefined,
  { target, bindingError, arguments: args, streamIds }: Call,
  detailedErrors: boolean,
): string | undefined {
  const failed = (error: Error) => withDetail(failedToInvoke(target), error, detailedErrors);
  if (method === undefined) return failed(new HubError("Method does not exist."));
  if (bindingError !== undefined) return failed(bindingError);
  const { least, most, streams } = method.parameters;
  const sent = args.length;
  // Without schemas a parameter may be an argument or a stream; the message tells which.
  const exact = streams !== undefined || !streamIds?.length;
  if (exact ? sent < least || sent > most : sent > most) {
    return failed(new ArgumentCountError(sent, least));
  }
  return undefined;
}

/**
 * The text that refuses a call in the wrong streaming mode or with a wrong number of uploads, in
 * upstream's words; `undefined` if both are right. Uploads follow the other arguments, so the parameters
 * of a method without schemas count both.
 */
export function modeRefusal(
  method: CallableMethod,
  { target, type, arguments: args, streamIds }: Call,
  detailedErrors: boolean,
): string | undefined {
  if (method.streams && type !== MessageType.StreamInvocation) return streamingNotAsked(target);
  const { least, most, streams } = method.parameters;
  const sent = streamIds?.length ?? 0;
  const fewest = streams ?? least - args.length;
  if (sent >= fewest && sent <= (streams ?? most - args.length)) return undefined;
  const error = new HubError(`Client sent ${sent} stream(s), Hub method expects ${fewest}.`);
  return withDetail(errorInvoking(target), error, detailedErrors);
}

/** The client sent more or fewer arguments than the method takes. */
class ArgumentCountError extends Error {
  constructor(sent: number, expected: number) {
    super(`Invocation provides ${sent} argument(s) but target expects ${expected}.`);
    this.name = "InvalidDataException";
  }
}
