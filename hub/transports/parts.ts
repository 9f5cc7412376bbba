import type { Clock } from "../clock.ts";
import type { ResolvedOptions } from "../options/server.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { ConnectionTable } from "./connection_table.ts";

/** What all transports of a server share. */
export interface TransportParts {
  readonly table: ConnectionTable;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly options: Pick<
    ResolvedOptions,
    | "allowStatefulReconnects"
    | "minimumProtocolVersion"
    | "transports"
    | "transportSendTimeout"
    | "webSockets"
    | "longPolling"
  >;
}
