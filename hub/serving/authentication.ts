import type { HubUser } from "../definition/context.ts";
import { expiryOf } from "./expirations.ts";
import type { Logger } from "../definition/logger.ts";

/**
 * Returns the user of a request, `undefined` for an anonymous client, or a `Response` that refuses the
 * request and is sent unchanged. `U` is the user that hub methods get.
 */
export type Authenticate<U extends HubUser = HubUser> = (
  request: Request,
) => U | undefined | Response | Promise<U | undefined | Response>;

/** Returns the user of a request, or the response that refuses it. A failure is logged; the response is 500. */
export async function identify(
  request: Request,
  authenticate: Authenticate,
  logger: Logger,
): Promise<HubUser | undefined | Response> {
  try {
    const authenticated = await authenticate(request);
    if (authenticated instanceof Response) return authenticated;
    // A user with an empty id is anonymous.
    const user = authenticated?.id ? authenticated : undefined;
    expiryOf(user);
    return user;
  } catch (error) {
    logger.error("authenticate failed:", error);
    return new Response(null, { status: 500 });
  }
}
