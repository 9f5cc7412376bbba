import type { HubUser } from "../definition/context.ts";
import { expiryOf } from "./expirations.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { ResolvedOptions } from "../options/server.ts";
import { objectionTo } from "../routing/names.ts";

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
  { limitedLog, options: { maximumNameBytes } }: {
    readonly limitedLog: LimitedLog;
    readonly options: Pick<ResolvedOptions, "maximumNameBytes">;
  },
): Promise<HubUser | undefined | Response> {
  try {
    const authenticated = await authenticate(request);
    if (authenticated instanceof Response) return authenticated;
    // A user with an empty id is anonymous.
    if (authenticated === undefined || authenticated === null || authenticated.id === "") {
      return undefined;
    }
    const objection = objectionTo(authenticated.id, maximumNameBytes);
    if (objection !== undefined) throw new TypeError(`Cannot use user id: ${objection}`);
    expiryOf(authenticated);
    return authenticated;
  } catch (error) {
    limitedLog.failure("authenticate failed:", error);
    return new Response(null, { status: 500 });
  }
}
