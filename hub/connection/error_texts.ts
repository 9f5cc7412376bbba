/**
 * The error texts for clients, in upstream's words: `specs/signalr-wire.md §9.2`. A detail follows
 * when the error is a `HubError` (on the wire `HubException`) or details are switched on.
 *
 * @module
 */
import { ClientConnectionError, HubError } from "../definition/errors.ts";

/** The most characters of a name or an id of a client that an error text repeats. */
const MAXIMUM_NAMED = 200;

/** A name or an id that a client has chosen, as error texts repeat it. */
export function named(name: string): string {
  if (name.length <= MAXIMUM_NAMED) return name;
  return `${name.slice(0, MAXIMUM_NAMED - 1).toWellFormed()}…`;
}

/** An error as clients know it, with upstream's name if upstream has one. */
export function describe(error: Error): string {
  return `${upstreamName(error)}: ${error.message}`;
}

function upstreamName(error: Error): string {
  if (error instanceof HubError) return "HubException";
  return error instanceof ClientConnectionError ? "IOException" : error.name;
}

/** `text`, followed by the error if the client may see the error. */
export function withDetail(text: string, error: Error, detailedErrors: boolean): string {
  return detailedErrors || error instanceof HubError ? `${text} ${describe(error)}` : text;
}

/** Converts a thrown value to an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown), { cause: thrown });
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    // An object without a prototype has no text.
    return `a thrown ${typeof thrown}`;
  }
}

/** The call could not begin. */
export function failedToInvoke(target: string): string {
  return `Failed to invoke '${named(target)}' due to an error on the server.`;
}

/** The caller may not call the method. */
export function unauthorized(target: string): string {
  return `Failed to invoke '${named(target)}' because user is unauthorized`;
}

/** The method threw. */
export function errorInvoking(target: string): string {
  return `An unexpected error occurred invoking '${named(target)}' on the server.`;
}

/** A streaming method was called without asking for a stream. */
export function streamingNotAsked(target: string): string {
  return `The client attempted to invoke the streaming '${
    named(target)
  }' method with a non-streaming invocation.`;
}

/** A client asked for a stream from a method that has no stream. */
export function notStreaming(target: string): string {
  return `The client attempted to invoke the non-streaming '${
    named(target)
  }' method with a streaming invocation.`;
}

/** A stream broke off. */
export const errorStreaming = "An error occurred on the server while streaming results.";
