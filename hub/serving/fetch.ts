import type { ResolvedOptions } from "../options/server.ts";
import type { AcceptWebSocket } from "../transports/acceptor.ts";
import type { Front } from "./front.ts";

const NO_WEBSOCKETS =
  "server.fetch cannot serve WebSockets on this runtime, so clients are offered " +
  "the other transports: use listen() of @hubplane/hubplane/listen";

/**
 * Makes the function that answers the requests of the platform's own server. `accept` takes WebSockets
 * out of that server; without it clients are not offered WebSockets, and the log says so once.
 */
export function fetchThrough(
  front: Pick<Front, "answer">,
  { logger, transports }: Pick<ResolvedOptions, "logger" | "transports">,
  accept: AcceptWebSocket | undefined,
): (request: Request) => Promise<Response> {
  let told = accept !== undefined || !transports.includes("WebSockets");
  return (request) => {
    const answer = front.answer(request, accept);
    if (answer === undefined) return Promise.resolve(new Response(null, { status: 404 }));
    if (!told) logger.warn(NO_WEBSOCKETS);
    told = true;
    return answer;
  };
}
