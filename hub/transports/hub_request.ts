import type { LinkedConnection } from "../connection/link.ts";
import type { Pipe } from "../connection/pipe.ts";
import type { AcceptWebSocket } from "./acceptor.ts";
import type { RequestCopy } from "./request_copy.ts";
import type { Session } from "./session.ts";
import type { NamedHub } from "./whereabouts.ts";

/** One request to a hub. */
export interface HubRequestInfo {
  readonly request: Request;
  readonly url: URL;
  /** The hub at the path of the request. */
  readonly hub: NamedHub;
  /** Whether the request was to `…/negotiate`. */
  readonly negotiating: boolean;
  /** The id of the user; `undefined` for an anonymous client. */
  readonly userId: string | undefined;
  /** When the authentication of the user expires, in epoch milliseconds; `undefined` if never. */
  readonly expires: number | undefined;
  /** Whether the server takes new connections. */
  readonly admitting: boolean;
  /** How the HTTP server takes WebSockets; `undefined` if it cannot. */
  readonly accept: AcceptWebSocket | undefined;
  /** Takes a new connection. */
  readonly connect: (pipe: Pipe, connection: NewConnection) => LinkedConnection;
  /** Asks other nodes for a connection, for so many milliseconds. */
  readonly claim: (connection: ClaimedConnection, timeout: number) => RunningClaim;
}

/** A connection of another node whose client has come to this one. */
export interface ClaimedConnection extends Pick<NewConnection, "id" | "request" | "owner"> {
  /** The connection has arrived: also when nobody waits for it any more. */
  arrived(connection: LinkedConnection): void;
}

/** A claim that is under way. */
export interface RunningClaim {
  /** `late`: nobody has answered in time. `denied`: the connection is another user's. */
  readonly outcome: Promise<object | "denied" | "late">;
  /** Nobody waits any more. */
  abandon(): void;
}

/** A connection that a transport opens. */
export interface NewConnection {
  /** The public connection id. */
  readonly id: string;
  /** A copy of the client's request, which cannot be read once it was answered. */
  readonly request: RequestCopy;
  /** Whether the client may lose its WebSocket and come back on another. */
  readonly stateful: boolean;
  /** Is told when the connection has ended, or has left for another node. */
  readonly owner: Pick<Session, "connectionEnded" | "connectionLeft">;
}
