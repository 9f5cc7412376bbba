import type { Clock } from "../clock.ts";
import type { ResolvedTransportOptions } from "../options/transports.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { ConnectionTable } from "./connection_table.ts";

/** Shared by all transports of a server. */
export interface TransportParts {
  readonly table: ConnectionTable;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly options: ResolvedTransportOptions & { readonly transportSendTimeout: number };
}
