import type { ResolvedTransportOptions } from "../options/transports.ts";
import type { TableParts } from "./connection_table.ts";
import type { PlaceParts } from "./whereabouts.ts";

/** Shared by all transports of a server. */
export interface TransportParts extends TableParts, PlaceParts {
  readonly options: ResolvedTransportOptions & {
    readonly transportSendTimeout: number;
    readonly maximumQueuedReceiveBytes: number;
    readonly relayTimeout: number;
  };
}
