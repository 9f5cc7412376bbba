import type { HubUser } from "../definition/context.ts";
import { expiryOf } from "./expirations.ts";
import type { Logger } from "../definition/logger.ts";

/**
 * Says who a request comes from: a user, `undefined` for an anonymous client, or a `Response` that
 * refuses it and is sent as it is.
 */
export type Authenticate = (
  request: Request,
) => HubUser | undefined | Response | Promise<HubUser | undefined | Response>;

/** Who a request comes from, or what to answer instead. A failure is logged and answered with 500. */
export async function identify(
  request: Request,
  authenticate: Authenticate,
  logger: Logger,
): Promise<HubUser | undefined | Response> {
  try {
    const authenticated = await authenticate(request);
    if (authenticated instanceof Response) return authenticated;
    // An empty id is no user.
    const user = authenticated?.id ? authenticated : undefined;
    expiryOf(user);
    return user;
  } catch (error) {
    logger.error("authenticate failed:", error);
    return new Response(null, { status: 500 });
  }
}

/** What somebody is told who may not use a hub: to say who they are, or that it does not help. */
export function unauthorizedResponse(user: HubUser | undefined): Response {
  return new Response(null, { status: user === undefined ? 401 : 403 });
}
