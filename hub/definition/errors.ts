/**
 * The errors of a hub that callers catch or throw on purpose. What a backplane rejects with is in
 * `backplanes/errors.ts`.
 *
 * @module
 */

/**
 * An error whose text the client may see. Throw it from a hub method to tell the caller why; any
 * other error reaches the client only as a generic text (unless `detailedErrors`).
 *
 * Clients show it as upstream writes it: `An unexpected error occurred invoking 'x' on the server.
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
 * No node acknowledged a change of a connection's groups within `groupAckTimeout`: the connection
 * exists nowhere, or its node is out of reach.
 */
export class GroupAckTimeoutError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GroupAckTimeoutError";
  }
}

/** A result was asked of a client that is not there, or goes before it has answered. */
export class ClientConnectionError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClientConnectionError";
  }
}
