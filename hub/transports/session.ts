import type { TransportName } from "../options/transports.ts";
import type { LinkedConnection } from "../connection/link.ts";
import type { Pipe } from "../connection/pipe.ts";
import { PostBodies } from "./post_bodies.ts";

/** `active` while a request is attached; `disposed` for good. `specs/signalr-wire.md §4.1`. */
export type SessionState = "inactive" | "active" | "disposed";

/** The pipe of a session whose transport is a series of HTTP requests. */
export interface HttpPipe extends Pipe {
  /** The heartbeat; `false` when the pipe needs no more heartbeats. */
  tick(now: number): boolean;
  /** The session is over: ends its requests and tells the hub. Called once. */
  dispose(): void;
}

/** The members of a {@link Session} that its negotiation fixes. */
type Identity = Pick<Session, "id" | "token" | "hub">;

/** A connection as the transports see it: the state that its requests share. */
export class Session {
  /** The public id. */
  readonly id: string;
  /** The secret that requests carry; empty if the client did not negotiate. */
  readonly token: string;
  /** The hub that the client negotiated with. The token means nothing at another hub. */
  readonly hub: object;
  /** Set by the table of connections. */
  state: SessionState = "inactive";
  /** Since when the session is inactive. */
  inactiveSince: number;
  /** Fixed by the first request that is attached. */
  transport: TransportName | undefined;
  /** Absent for WebSockets. */
  pipe: HttpPipe | undefined;
  /** Whether it was negotiated that the client may lose its WebSocket and come back on another. */
  stateful = false;
  /** The connection to which such a client comes back. */
  connection: LinkedConnection | undefined;
  /** Whether the connection goes on at another node. */
  hasLeft = false;
  readonly #forget: (session: Session) => void;
  #posts: PostBodies | undefined;
  #hasOwner = false;
  #userId: string | undefined;

  /** `forget` removes a session from the table of connections and disposes of it. */
  constructor({ id, token, hub }: Identity, now: number, forget: (session: Session) => void) {
    this.id = id;
    this.token = token;
    this.hub = hub;
    this.inactiveSince = now;
    this.#forget = forget;
  }

  /** The bodies that come by POST. */
  get posts(): PostBodies {
    return this.#posts ??= new PostBodies();
  }

  /** Whether a request of a user may use the session: the first request decides. §4.1 */
  belongsTo(userId: string | undefined): boolean {
    if (!this.#hasOwner) this.#userId = userId;
    this.#hasOwner = true;
    return this.#userId === userId;
  }

  /** The connection has ended, and its hub has dealt with that. */
  connectionEnded(): void {
    // With long polling, the session stays until a poll has been told.
    if (this.transport !== "LongPolling") this.#forget(this);
  }

  /** The connection has left for another node. */
  connectionLeft(): void {
    this.hasLeft = true;
    this.#forget(this);
  }

  /** The table of connections has forgotten the session. */
  dispose(): void {
    this.state = "disposed";
    // The pipe first: it may have a last answer for the client.
    this.pipe?.dispose();
    this.#posts?.end();
  }
}
