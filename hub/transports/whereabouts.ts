import type { Beginning, ElsewhereOrNowhere, Homes } from "../relay/homes.ts";
import type { Tokens, VerifiedToken } from "../relay/tokens.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { ConnectionTable } from "./connection_table.ts";
import type { Session } from "./session.ts";

/** The most requests that wait for the nodes that have issued their tokens. */
const MAXIMUM_WAITING = 1000;

/** A hub, as tokens name it. */
export interface NamedHub {
  /** The name of the hub on the bus, the same on every node. */
  readonly name: string;
}

/** A connection of this node. */
export interface Here {
  readonly at: "here";
  readonly session: Session;
}

/** A connection that may begin here. */
export interface Fresh {
  readonly at: "fresh";
  readonly token: VerifiedToken;
  /** Whether another node is asked first. */
  readonly asks: boolean;
  /** Begins the connection here, unless it has begun on another node meanwhile. */
  begin(): Begun | Promise<Begun>;
}

/** A connection of another node, or one that may be. */
export interface RelayedPlace {
  readonly token: VerifiedToken;
  /** The node, if this one knows it. */
  readonly node: string | undefined;
  /** Whether the connection may still begin on another node. */
  readonly mayBegin: boolean;
}

/** A connection that is not here. */
export type NotHere =
  | RelayedPlace & { readonly at: "elsewhere" }
  /** The token is forged, or the connection was here and has ended. */
  | { readonly at: "nowhere" };

/** The fate of a {@link Fresh} connection. `unknown`: nobody can tell now. */
export type Begun = Here | { readonly at: "unknown" } | NotHere;

/** The place of a connection. */
export type Whereabouts = Here | Fresh | NotHere;

/** The parts of a server that {@link Places} needs. */
export interface PlaceParts {
  readonly table: ConnectionTable;
  readonly tokens: Tokens;
  readonly homes: Homes;
  readonly limitedLog: LimitedLog;
}

/** Resolves the tokens of requests: the one place that knows where a connection is. */
export class Places {
  readonly #parts: PlaceParts;
  /** The connections whose issuers are asked, by token: later requests wait with the first. */
  readonly #beginning = new Map<string, Promise<Begun>>();
  #waiting = 0;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
  }

  /** Where the connection of a token is. */
  find(hub: NamedHub, token: string): Whereabouts {
    const { table, tokens, homes } = this.#parts;
    const session = table.find(hub, token);
    if (session !== undefined) return { at: "here", session };
    const verified = tokens.verify(token, hub.name);
    if (verified === undefined) return { at: "nowhere" };
    const home = homes.find(verified);
    if (home.at !== "fresh") return withToken(home, verified);
    const begin = home.asks
      ? () => this.#ask(hub, token, verified)
      : () => this.#finish(hub, token, verified, homes.begin(verified));
    return { at: "fresh", token: verified, asks: home.asks, begin };
  }

  /** Waits for the node that has issued a token. */
  async #ask(hub: NamedHub, token: string, verified: VerifiedToken): Promise<Begun> {
    if (this.#waiting >= MAXIMUM_WAITING) return this.#tooMany();
    this.#waiting++;
    let begun = this.#beginning.get(token);
    if (begun === undefined) {
      const claimed = this.#parts.homes.claim(hub.name, verified);
      begun = claimed.then((beginning) => this.#finish(hub, token, verified, beginning));
      this.#beginning.set(token, begun);
    }
    const result = await begun;
    this.#waiting--;
    if (this.#beginning.get(token) === begun) this.#beginning.delete(token);
    // Another request may have begun the connection and ended it.
    return result.at === "here" && result.session.state === "disposed" ? { at: "nowhere" } : result;
  }

  #finish(hub: NamedHub, token: string, verified: VerifiedToken, beginning: Beginning): Begun {
    if (beginning.at === "unknown") return beginning;
    if (beginning.at !== "here") return withToken(beginning, verified);
    return { at: "here", session: this.#parts.table.begin(hub, token, verified) };
  }

  #tooMany(): Begun {
    const text = `${MAXIMUM_WAITING} requests wait for the nodes that have issued their tokens: ` +
      "a further one is refused";
    this.#parts.limitedLog.log("warn", "requests wait for issuers", text);
    return { at: "unknown" };
  }
}

function withToken(place: ElsewhereOrNowhere, token: VerifiedToken): NotHere {
  return place.at === "nowhere" ? place : { ...place, token, mayBegin: false };
}
