import type { HubPolicy } from "../definition/policy.ts";
import type { CallContext, HubContext } from "../definition/context.ts";
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
import { MessageType } from "../protocol/messages.ts";
import type { StandardSchema } from "../definition/schema.ts";
import type { Call } from "./active_call.ts";
import { filteredCall } from "./filters.ts";
import { type Gate, gateOf, type GateParts } from "./gate.ts";
import { countParameters, type ParameterCount } from "./parameters.ts";

/** How a method is called; it has no `this`. */
export type MethodCall = (context: CallContext, ...args: unknown[]) => unknown;

/** A method that clients may call. */
export interface CallableMethod {
  /** The function, with the filters around it. */
  readonly call: MethodCall;
  /** How many arguments it takes. */
  readonly parameters: ParameterCount;
  /** Whether it streams: its function is a generator. */
  readonly streams: boolean;
  /** What has to let a call pass before it begins. */
  readonly gate: Gate | undefined;
  /** What the items of each stream of the client are checked with. */
  readonly itemSchemas: readonly StandardSchema[] | undefined;
}

/** What stands around every method of a hub. */
export interface Surroundings {
  /** The hub's name. */
  readonly hub: string;
  /** The filters of the server, then those of the hub. */
  readonly filters: readonly HubFilter[];
  /** The policies of the server and of the hub. */
  readonly policies: readonly HubPolicy[];
  readonly detailedErrors: boolean;
  readonly logger: Pick<Console, "error">;
}

/** The methods of a hub by name without case; nothing else can be called. */
export class MethodTable {
  readonly #methods = new Map<string, CallableMethod>();

  constructor(methods: HubMethods, around: Surroundings) {
    for (const [name, method] of Object.entries(methods)) {
      this.#methods.set(name.toLowerCase(), callable(name, method, around));
    }
  }

  /** The method of that name, or `undefined`. */
  find(name: string): CallableMethod | undefined {
    return this.#methods.get(name.toLowerCase());
  }
}

function callable(
  method: string,
  entry: HubMethods[string],
  { filters, ...around }: Surroundings,
): CallableMethod {
  const { handler, authorize, args, streams }: MethodParts = typeof entry === "function"
    ? { handler: entry }
    : entry;
  return {
    call: filteredCall(handler as HubCall, { hub: around.hub, method }, filters),
    parameters: args === undefined
      ? countParameters(handler)
      : { least: args.length, most: args.length, streams: streamCount(streams) },
    streams: /Generator/.test(Object.prototype.toString.call(handler)),
    gate: gateOf({
      ...around,
      method,
      schemas: args ?? [],
      authorize: authorize as GateParts["authorize"],
    }),
    itemSchemas: typeof streams === "object" && streams.length > 0 ? streams : undefined,
  };
}

/** A method as it is called, whatever it declares. */
type HubCall = (context: HubContext<never, never>, ...args: unknown[]) => unknown;

/** What `method()` may have put into a hub's method. */
interface MethodParts extends HubMethodDefinition {
  readonly args?: readonly StandardSchema[];
  readonly streams?: StreamSchemas;
}

function streamCount(streams: StreamSchemas = 0): number {
  return typeof streams === "number" ? streams : streams.length;
}

/**
 * Why the arguments of a call do not fit its method, in upstream's words; `undefined` if they do, as far
 * as they are not checked by schemas.
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
  // Without schemas a parameter may be an argument or a stream: which, is told by what was sent.
  const exact = streams !== undefined || !streamIds?.length;
  if (exact ? sent < least || sent > most : sent > most) {
    return failed(new ArgumentCountError(sent, least));
  }
  return undefined;
}

/**
 * Why a call that may be made cannot begin, in upstream's words: streaming mode, uploads. `undefined` if
 * it can. Uploads follow the other arguments, so a method's parameters count both unless it has schemas.
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
