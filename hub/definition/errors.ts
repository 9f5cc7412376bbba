/**
 * The errors of a hub that callers catch or throw on purpose. The errors of backplanes are in
 * `backplanes/errors.ts`.
 *
 * @module
 */

/**
 * An error whose text the client may see. Throw a `HubError` from a hub method to tell the caller the
 * reason. Of any other error the client sees a generic text (unless `detailedErrors`).
 *
 * The client gets the text in upstream's words: `An unexpected error occurred invoking 'x' on the server.
 * HubException: your text`.
 *
 * @example
 * ```ts
 * import { defineHub, type HubContext, HubError } from "@hubplane/hubplane";
 *
 * const hub = defineHub({
 *   methods: {
 *     pay(_context: HubContext<Record<never, never>>, amount: number) {
 *       if (!(amount > 0)) throw new HubError("The amount must be positive");
 *     },
 *   },
 * });
 * ```
 */
export class HubError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
  }
}

/**
 * No node acknowledged a change of a connection's groups, within `groupAckTimeout` or because no node has
 * the connection: the connection does not exist, or its node cannot be reached.
 */
export class GroupAckTimeoutError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GroupAckTimeoutError";
  }
}

/** The connection that was asked for a result does not exist, or has ended before it answered. */
export class ClientConnectionError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClientConnectionError";
  }
}
