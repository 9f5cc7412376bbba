import type { HubContext } from "../context.ts";
import { HubError } from "../errors.ts";
import { errorInvoking, failedToInvoke, streamingNotAsked, withDetail } from "../error_texts.ts";
import type { HubMethods } from "../hub.ts";
import {
  type InvocationMessage,
  MessageType,
  type StreamInvocationMessage,
} from "../protocol/messages.ts";
import { countParameters, type ParameterCount } from "./parameters.ts";

/** A method that clients may call. */
export interface CallableMethod {
  /** The function; it has no `this`. */
  readonly call: (context: HubContext<never, never>, ...args: unknown[]) => unknown;
  /** How many arguments it takes. */
  readonly parameters: ParameterCount;
  /** Whether it streams: its function is a generator. */
  readonly streams: boolean;
}

/** The methods of a hub by name without case; nothing else can be called. */
export class MethodTable {
  readonly #methods = new Map<string, CallableMethod>();

  constructor(methods: HubMethods) {
    for (const [name, method] of Object.entries(methods)) {
      this.#methods.set(name.toLowerCase(), {
        call: method as CallableMethod["call"],
        parameters: countParameters(method),
        streams: /Generator/.test(Object.prototype.toString.call(method)),
      });
    }
  }

  /** The method of that name, or `undefined`. */
  find(name: string): CallableMethod | undefined {
    return this.#methods.get(name.toLowerCase());
  }
}

/**
 * Why a call cannot begin, in upstream's words and order: binding, streaming mode, uploads. `undefined`
 * if it can. Uploads follow the other arguments, so a method's parameters count both.
 */
export function refusalOf(
  method: CallableMethod | undefined,
  message: InvocationMessage | StreamInvocationMessage,
  detailedErrors: boolean,
): string | undefined {
  const { target, bindingError } = message;
  const failed = (error: Error) => withDetail(failedToInvoke(target), error, detailedErrors);
  if (method === undefined) return failed(new HubError("Method does not exist."));
  if (bindingError !== undefined) return failed(bindingError);
  const { least, most } = method.parameters;
  const sent = message.arguments.length;
  const streams = message.streamIds?.length ?? 0;
  if (streams === 0 ? sent < least || sent > most : sent > most) {
    return failed(new ArgumentCountError(sent, least));
  }
  if (method.streams && message.type !== MessageType.StreamInvocation) {
    return streamingNotAsked(target);
  }
  if (sent + streams >= least && sent + streams <= most) return undefined;
  const error = new HubError(
    `Client sent ${streams} stream(s), Hub method expects ${least - sent}.`,
  );
  return withDetail(errorInvoking(target), error, detailedErrors);
}

/** The client sent more or fewer arguments than the method takes. */
class ArgumentCountError extends Error {
  constructor(sent: number, expected: number) {
    super(`Invocation provides ${sent} argument(s) but target expects ${expected}.`);
    this.name = "InvalidDataException";
  }
}
