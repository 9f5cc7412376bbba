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
}

/** A connection that a transport opens. */
export interface NewConnection {
  /** The public connection id. */
  readonly id: string;
  /** A copy of the client's request, which cannot be read once it was answered. */
  readonly request: RequestCopy;
  /** Whether the client may lose its WebSocket and come back on another. */
  readonly stateful: boolean;
  /** Is told when the connection has ended. */
  readonly owner: Pick<Session, "connectionEnded">;
}
