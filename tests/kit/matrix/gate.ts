/**
 * What stands before the hub of the matrix. A case says in its URL how its requests are to be treated.
 *
 * @module
 */
import type { HubUser } from "../../../mod.ts";
import { type Journal, journalOfProcess } from "./journal.ts";

/** What a case may ask for with the query of its URL. */
export interface GateQuery {
  /** Under what its requests are kept. */
  readonly tag?: string;
  /**
   * Kinds of requests that are answered 404, as by a proxy that does not let them through. Not 502: the
   * client leaves the event source alone then, and npm's `eventsource` tries it for ever.
   */
  readonly refuse?: string;
  /** Whether those without a token are refused. */
  readonly needsToken?: "yes";
  /** The URL that negotiate sends the client to. */
  readonly moved?: string;
  /** The token that it gives the client for that. */
  readonly movedToken?: string;
  /** The cookie that it sets there, `name=value`. */
  readonly cookie?: string;
  /** Who the client is, where it has no token. */
  readonly user?: string;
  /** For the hub to see. */
  readonly room?: string;
}

/** The kind of a request to a hub. */
function kindOf({ method, url, headers }: Request): string {
  if (new URL(url).pathname.endsWith("/negotiate")) return "negotiate";
  if (method !== "GET") return method;
  if (headers.get("upgrade")?.toLowerCase() === "websocket") return "websocket";
  return headers.get("accept") === "text/event-stream" ? "events" : "poll";
}

/** As the upstream documentation has it: the header first, then the query. */
function tokenOf({ headers }: Request, query: URLSearchParams) {
  const [, header] = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "") ?? [];
  if (header !== undefined) return { token: header, place: "header" } as const;
  const token = query.get("access_token");
  return { token, place: token === null ? null : "query" } as const;
}

/** Sends the client elsewhere, as `specs/signalr-wire.md §3.3`. */
function move(url: string, query: URLSearchParams): Response {
  const accessToken = query.get("movedToken");
  const cookie = query.get("cookie");
  const body = { negotiateVersion: 1, url, ...(accessToken === null ? {} : { accessToken }) };
  return Response.json(body, { headers: cookie === null ? {} : { "set-cookie": cookie } });
}

/** Makes the `authenticate` of a node, which writes what it sees into `journal`. */
export function gate(
  journal: Journal = journalOfProcess,
): (request: Request) => HubUser | undefined | Response {
  return (request) => {
    const query = new URL(request.url).searchParams;
    const kind = kindOf(request);
    const { token, place } = tokenOf(request, query);
    const { headers } = request;
    const tag = query.get("tag");
    if (tag !== null) {
      const [mine, cookie] = [headers.get("x-mine"), headers.get("cookie")];
      journal.saw(tag, { kind, token: place, mine, cookie });
    }
    if (query.get("refuse")?.split(",").includes(kind)) return new Response(null, { status: 404 });
    const moved = query.get("moved");
    if (kind === "negotiate" && moved !== null) return move(moved, query);
    if (token !== null) {
      const [, id] = /^token of (\w+)/.exec(token) ?? [];
      return id === undefined ? new Response(null, { status: 401 }) : { id };
    }
    if (query.has("needsToken")) return new Response(null, { status: 401 });
    const user = query.get("user");
    return user === null ? undefined : { id: user };
  };
}
