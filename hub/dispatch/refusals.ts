/**
 * Calls that cannot begin: the texts for their clients, and the entries of the log.
 *
 * @module
 */
import { errorInvoking, named, streamingNotAsked, withDetail } from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import { MessageType } from "../protocol/messages.ts";
import { cut } from "../protocol/value_path.ts";
import type { Call } from "./call_context.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { ParameterCount } from "./parameters.ts";

/** The most characters of a refusal that are logged: a client chooses some of them. */
const MAXIMUM_LOGGED = 300;

/** The error of everything that must not begin, or not go on, because the server is closing. */
export function serverClosing(): HubError {
  return new HubError("The server is closing.");
}

/** The declaration of a method, as far as calls must fit it. */
interface Declared {
  readonly parameters: ParameterCount;
  readonly streams: boolean;
}

/**
 * Logs that a call was refused. A client can send such calls without end, so each method has one entry a
 * minute, and all unknown methods have one together.
 */
export function logRefusal(
  limitedLog: LimitedLog,
  level: "debug" | "info" | "warn",
  connectionId: string,
  method: string | undefined,
  text: string,
): void {
  const entry = `A call of connection ${connectionId} is refused: ${cut(text, MAXIMUM_LOGGED)}`;
  const summary = method === undefined
    ? "Calls of unknown methods are refused"
    : `Calls of hub method "${method}" are refused`;
  limitedLog.logOne(level, `${level}: refused ${method}`, summary, entry);
}

/**
 * The error that refuses a call with a wrong number of arguments, in upstream's words; `undefined` if the
 * number is right. Schemas are checked later.
 */
export function bindingRefusal(
  method: Declared,
  { bindingError, arguments: args, streamIds }: Call,
): Error | undefined {
  if (bindingError !== undefined) return bindingError;
  const { least, most, streams } = method.parameters;
  const sent = args.length;
  // Without schemas a parameter may be an argument or a stream; the message tells which.
  const exact = streams !== undefined || !streamIds?.length;
  if (exact ? sent < least || sent > most : sent > most) {
    return new ArgumentCountError(sent, least);
  }
  return undefined;
}

/**
 * The text that refuses a call in the wrong streaming mode or with a wrong number of uploads, in
 * upstream's words; `undefined` if both are right. Uploads follow the other arguments, so the parameters
 * of a method without schemas count both.
 */
export function modeRefusal(
  method: Declared,
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

/** The text that refuses a call whose id another stream has. */
export function idInUse(invocationId = ""): string {
  return `Invocation ID '${named(invocationId)}' is already in use.`;
}

/** The client sent more or fewer arguments than the method takes. */
class ArgumentCountError extends Error {
  constructor(sent: number, expected: number) {
    super(`Invocation provides ${sent} argument(s) but target expects ${expected}.`);
    this.name = "InvalidDataException";
  }
}
