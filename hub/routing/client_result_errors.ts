import { ClientConnectionError, HubError } from "../definition/errors.ts";
import type { CompletionMessage } from "../protocol/messages.ts";
import { UnreadableValue } from "../protocol/pack/values.ts";
import { limitReached } from "../scheduling/budget.ts";

/** The text of a call that the server has given up. */
export const CANCELED = "Invocation canceled by the server.";
/** The error between nodes when a connection has gone before it has answered. */
export const DISCONNECTED = "Connection disconnected.";

/** The connection exists nowhere. */
export function nobody(connectionId: string): ClientConnectionError {
  return new ClientConnectionError(`Connection '${connectionId}' does not exist.`);
}

/** The connection has ended. */
export function gone(connectionId: string): ClientConnectionError {
  return new ClientConnectionError(`Connection '${connectionId}' disconnected.`);
}

/** As many results of a client are pending as may be. */
export function tooMany(most: number): HubError {
  const option = "maximumPendingResultsPerConnection";
  return limitReached({ most, things: "results that its client has not sent", option });
}

/** A client answered for another one; upstream's words and name. */
export class WrongConnectionError extends Error {
  constructor(connectionId: string, invocationId: string) {
    super(`Connection ID '${connectionId}' is not valid for invocation ID '${invocationId}'.`);
    this.name = "InvalidOperationException";
  }
}

/**
 * Returns normally if a call may have that timeout.
 *
 * @throws {RangeError} otherwise.
 */
export function checkTimeout(timeout: number): void {
  if (Number.isInteger(timeout) && timeout >= 1 && timeout <= 0x7fffffff) return;
  throw new RangeError(
    `Cannot use timeout: ${timeout} is not an integer between 1 and 2147483647`,
  );
}

/**
 * The result in an answer.
 *
 * @throws {HubError} if there is none.
 */
export function resultOf(answer: CompletionMessage): unknown {
  if (answer.error !== undefined) throw new HubError(answer.error);
  if (!Object.hasOwn(answer, "result")) {
    throw new HubError("The client completed without a result.");
  }
  const { result } = answer;
  if (!(result instanceof UnreadableValue)) return result;
  throw new HubError("Error trying to deserialize result.", { cause: result.cause });
}
