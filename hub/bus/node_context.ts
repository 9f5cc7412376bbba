import type { Backplane } from "../../backplanes/backplane.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../definition/logger.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { Cluster } from "./cluster.ts";
import type { GapReports } from "./gap_reports.ts";

export type {
  Backplane,
  BackplaneGap,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../backplanes/backplane.ts";

/** Shared by all parts of a node. `O` are the options that a part reads. */
export interface NodeContext<O = unknown> {
  /** The name of this node, unlike the name of any other. */
  readonly serverName: string;
  readonly backplane: Backplane;
  /** The other nodes of this server. */
  readonly cluster: Cluster;
  /** A clock that stands still while the node does. */
  readonly clock: Clock;
  /** A clock that does not: for durations that nodes compare. */
  readonly time: Clock;
  /** Where the hubs report what was lost. */
  readonly gaps: GapReports;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** For what a client or the bus can cause again and again. */
  readonly limitedLog: LimitedLog;
  readonly options: O;
}
