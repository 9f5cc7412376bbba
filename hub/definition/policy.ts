/**
 * Policies decide whether a user may connect and call.
 *
 * @module
 */
import type { HubRequest, HubUser } from "./context.ts";

/** A request for access to a hub. `U` is the type of user that `authenticate` returns. */
export interface HubAccess<U extends HubUser = HubUser> {
  /** The name of the hub; by default its path without the leading slash. */
  readonly hub: string;
  /** The user; `undefined` for an anonymous client. */
  readonly user: U | undefined;
  /** The HTTP request; for a call the request that opened the connection. */
  readonly request: HubRequest;
}

/**
 * Decides whether a user may use a hub (without `method`), or may call `method`, spelled as the hub
 * spells it. Only `true` allows; a policy that throws, rejects or returns another value refuses.
 * Annotate the context with the type of user that the policy expects; by default that is `HubUser`.
 *
 * - **Connecting**: the policy runs for every request of a client, negotiates and polls included, before
 *   a connection exists. A refused user gets 403, an anonymous client 401.
 * - **Calling**: the policy runs before every call whose arguments are valid. A refused call fails with
 *   `Failed to invoke 'x' because user is unauthorized`. While the promise of a policy is pending nothing
 *   more is read from that client, so that its calls begin in order.
 */
export type HubPolicy = {
  // As the type of a method the context may be annotated with any type of user.
  policy(context: HubAccess, method?: string): boolean | Promise<boolean>;
}["policy"];
