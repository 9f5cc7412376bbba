import type { TransportName } from "../options/transports.ts";
import type { PipeOwner, StatefulListener } from "../connection/pipe.ts";
import { Inlet } from "./inlet.ts";

/** `active` while a request is attached; `disposed` for good. `specs/signalr-wire.md §4.1`. */
export type SessionState = "inactive" | "active" | "disposed";

/** What serves a session once its transport is known. */
export interface Attachment {
  /** The heartbeat; `false` when nothing is left to look at. */
  tick(now: number): boolean;
  /** The session is over: ends its requests and tells the hub. Called once. */
  dispose(): void;
}

/** Who knows a session by its token. */
export interface SessionKeeper {
  /** Forgets it and ends what is left of it. Idempotent. */
  dispose(session: Session): void;
}

/** A connection as the transports see it: what its requests have in common. */
export class Session implements PipeOwner {
  /** The public id. */
  readonly id: string;
  /** The secret that requests carry; the key of the table. */
  readonly token: string;
  /** What the table has made of it. */
  state: SessionState = "inactive";
  /** Since when it is inactive. */
  inactiveSince: number;
  /** Fixed by the first request that attaches. */
  transport: TransportName | undefined;
  /** What serves it, if its transport needs that. */
  attachment: Attachment | undefined;
  /** Whether it was negotiated that its client may lose its WebSocket and come back on another. */
  stateful = false;
  /** Who takes a WebSocket of such a client. */
  returning: StatefulListener | undefined;
  readonly #keeper: SessionKeeper;
  #inlet: Inlet | undefined;
  #claimed = false;
  #userId: string | undefined;

  constructor(id: string, token: string, now: number, keeper: SessionKeeper) {
    this.id = id;
    this.token = token;
    this.inactiveSince = now;
    this.#keeper = keeper;
  }

  /** What comes by POST. */
  get inlet(): Inlet {
    return this.#inlet ??= new Inlet();
  }

  /** Whether a request of that user may use it: the first to try decides. §4.1 */
  belongsTo(userId: string | undefined): boolean {
    if (!this.#claimed) this.#userId = userId;
    this.#claimed = true;
    return this.#userId === userId;
  }

  connectionEnded(): void {
    // One of polls stays until a poll has been told.
    if (this.transport !== "LongPolling") this.#keeper.dispose(this);
  }

  /** The table has dropped it. */
  dispose(): void {
    this.state = "disposed";
    // The attachment first: it may have a last answer for the client.
    this.attachment?.dispose();
    this.#inlet?.end();
  }
}
