/**
 * Who may connect and call.
 *
 * @module
 */
import type { HubRequest, HubUser } from "./context.ts";

/** Who asks for access, and to what. `U` is the user that `authenticate` returns. */
export interface HubAccess<U extends HubUser = HubUser> {
  /** The hub's name; by default its path without the leading slash. */
  readonly hub: string;
  /** Who asks; `undefined` if anonymous. */
  readonly user: U | undefined;
  /** The request in question; for a call the one that opened the connection. */
  readonly request: HubRequest;
}

/**
 * Says whether somebody may use a hub (without `method`), or may call one of its methods (its name as
 * the hub has it). Only `true` says yes: whoever throws, rejects or returns anything else refuses.
 * Annotate the context to say which user it expects.
 *
 * - **Connecting**: asked at every request of a client, negotiates and polls included, before there is
 *   a connection. Refused with 403, or 401 if the client is anonymous.
 * - **Calling**: asked before every call, when its arguments are known to be right. Refused with
 *   `Failed to invoke 'x' because user is unauthorized`. While a promise is pending nothing more is
 *   read from that client, so that its calls still start in order.
 */
export type HubPolicy = (
  context: HubAccess<never>,
  method?: string,
) => boolean | Promise<boolean>;
