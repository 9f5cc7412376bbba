import type { ResolvedDispatchOptions } from "../options/dispatch.ts";
import type { ClientResults } from "../routing/client_results.ts";
import type { MethodTable } from "./method_table.ts";

/** The parts that the calls of all connections of a hub share. */
export interface DispatchParts {
  readonly methods: MethodTable;
  readonly results: Pick<ClientResults, "complete">;
  readonly logger: Pick<Console, "error">;
  readonly options: ResolvedDispatchOptions;
}
