import type { HubUser } from "../definition/context.ts";
import type { ResolvedOptions } from "../options/server.ts";
import type { AcceptWebSocket } from "../transports/acceptor.ts";
import { allowOrigin, copyOf, preflight } from "../transports/cors.ts";
import { Endpoint } from "../transports/endpoint.ts";
import { parameters } from "../transports/negotiate.ts";
import type { RelayingParts, ServedRequest, Serving } from "../transports/relaying.ts";
import { type Authenticate, identify } from "./authentication.ts";
import { expiryOf } from "./expirations.ts";
import type { Health } from "./health.ts";
import type { HubPaths, PathMatch } from "./hub_paths.ts";
import type { LiveHub } from "./live_hub.ts";

/** The parts of a {@link Front}. */
export interface FrontParts extends RelayingParts {
  readonly health: Health;
  readonly paths: HubPaths<LiveHub>;
  readonly authenticate: Authenticate | undefined;
  readonly options: ResolvedOptions;
  /** Whether new connections are taken. */
  readonly admitting: () => boolean;
}

/** Answers the requests to a server: tells its health, or finds the hub, identifies the user, asks the policies. */
export class Front {
  readonly #parts: FrontParts;
  readonly #endpoint: Endpoint;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.#endpoint = new Endpoint(parts);
    parts.relay.serve((request) => this.#serve(request));
  }

  /** Answers a request; `undefined` if the request is to no path of the server. */
  answer(request: Request, accept?: AcceptWebSocket): Promise<Response> | undefined {
    const url = new URL(request.url);
    const health = this.#parts.health.answer(request, url.pathname);
    if (health !== undefined) return Promise.resolve(health);
    const match = this.#parts.paths.match(url.pathname);
    if (match === undefined) return undefined;
    const { cors } = this.#parts.options;
    // A browser sends preflight requests without cookies, so there is nobody to identify.
    const allowance = cors && preflight(request, cors);
    if (allowance !== undefined) return Promise.resolve(allowance);
    const response = this.#admit(request, url, match, accept);
    return cors ? response.then((response) => allowOrigin(request, response, cors)) : response;
  }

  async #admit(
    request: Request,
    url: URL,
    { hub, negotiating }: PathMatch<LiveHub>,
    accept: AcceptWebSocket | undefined,
  ): Promise<Response> {
    const { authenticate, options, admitting } = this.#parts;
    const user = authenticate && await identify(request, authenticate, this.#parts);
    if (user instanceof Response) return this.#logged(options.cors ? copyOf(user) : user, url);
    // Reading the headers costs more than all other steps, so only policies read them.
    if (hub.guarded && !await hub.admits(user, { url: request.url, headers: request.headers })) {
      return this.#logged(new Response(null, { status: user === undefined ? 401 : 403 }), url);
    }
    if (request.method === "GET") this.#renew(url, hub, user);
    const response = await this.#endpoint.answer({
      request,
      url,
      hub,
      negotiating,
      userId: user?.id,
      get expires() {
        const expires = expiryOf(user);
        return expires === Infinity ? undefined : Math.max(0, expires);
      },
      get admitting() {
        return admitting();
      },
      accept,
      connect: (pipe, connection) => hub.connect(pipe, { ...connection, user }),
      claim: ({ id, request, owner, arrived }, timeout) =>
        hub.handovers.claim(id, { user, request, owner, arrived }, timeout),
    });
    return this.#logged(response, url);
  }

  /** Logs a refusal. The query is left out: the query may hold a token. */
  #logged(response: Response, { pathname }: URL): Response {
    const { status } = response;
    if (status >= 400) {
      const text = `A request to ${pathname} is refused: ${status}`;
      const summary = `A request is refused: ${status}`;
      this.#parts.limitedLog.logOne("debug", summary, summary, text);
    }
    return response;
  }

  /** Serves a request that another node relays, which has authenticated the user. */
  #serve(request: ServedRequest): Serving | undefined {
    const { connectionId, verb, userId, expires } = request;
    const { table, paths, options } = this.#parts;
    if (options.closeOnAuthenticationExpiration && (verb === "poll" || verb === "resume")) {
      const session = table.withId(connectionId);
      const user = userId === undefined ? undefined : { id: userId };
      const until = expires === undefined ? {} : { expires: new Date(expires) };
      paths.distinct.find((hub) => hub === session?.hub)
        ?.renew(connectionId, user && { ...user, ...until });
    }
    return this.#endpoint.serve(request);
  }

  /** A poll, or a client that comes back, may bring a newer authentication. */
  #renew(url: URL, hub: LiveHub, user: HubUser | undefined): void {
    if (!this.#parts.options.closeOnAuthenticationExpiration) return;
    const session = this.#parts.table.find(hub, parameters(url, "id")[0] ?? "");
    if (session !== undefined) hub.renew(session.id, user);
  }
}
