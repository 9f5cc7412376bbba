import type { HubConnection } from "../connection/connection.ts";
import type { Arrived, Origin } from "./moves.ts";

/** What became of a claim. `late`: nobody has answered in time. `denied`: the connection is another user's. */
export type ClaimOutcome = Arrived | "denied" | "late";

/** The request for a connection that is at another node. */
export interface ClaimOrigin extends Origin {
  /** The connection has arrived: also when nobody waits for it any more. */
  arrived?(connection: HubConnection): void;
}

/** A claim that is under way. */
export interface RunningClaim {
  readonly outcome: Promise<ClaimOutcome>;
  /** The client has gone. The connection may come nevertheless, and waits for its client then. */
  abandon(): void;
}
