import type { HubUser } from "../definition/context.ts";
import { expiryOf } from "./expirations.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";

/**
 * Returns the user of a request, `undefined` for an anonymous client, or a `Response` that refuses the
 * request and is sent unchanged.
 */
export type Authenticate = (
  request: Request,
) => HubUser | undefined | Response | Promise<HubUser | undefined | Response>;

/** Returns the user of a request, or the response that refuses it. A failure is logged; the response is 500. */
export async function identify(
  request: Request,
  authenticate: Authenticate,
  limitedLog: LimitedLog,
): Promise<HubUser | undefined | Response> {
  try {
    const authenticated = await authenticate(request);
    if (authenticated instanceof Response) return authenticated;
    // A user with an empty id is anonymous.
    const user = authenticated?.id ? authenticated : undefined;
    expiryOf(user);
    return user;
  } catch (error) {
    limitedLog.failure("authenticate failed:", error);
    return new Response(null, { status: 500 });
  }
}
