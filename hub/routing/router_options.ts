import type { Backplane } from "../../backplanes/backplane.ts";
import type { Clock } from "../clock.ts";
import type { HubProtocol } from "../protocol/protocol.ts";

/** What a router is made of. */
export interface RouterOptions {
  /** The hub's name, the same on every node. */
  readonly hub: string;
  /** This node's name, unlike any other's. */
  readonly serverName: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly logger: Pick<Console, "error" | "warn">;
  readonly groupAckTimeout: number;
  readonly maximumNameBytes: number;
  readonly clientResultTimeout: number;
  readonly protocols: readonly HubProtocol[];
  readonly unsubscribeDelay: number;
}
