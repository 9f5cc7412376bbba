import type { ResolvedTransportOptions } from "../options/transports.ts";
import type { ConnectionTable, TableParts } from "./connection_table.ts";

/** Shared by all transports of a server. */
export interface TransportParts extends TableParts {
  readonly table: ConnectionTable;
  readonly options: ResolvedTransportOptions & { readonly transportSendTimeout: number };
}
