import type { ResolvedOptions } from "../options/server.ts";
import type { BudgetLimit, ConnectionBudgetKind } from "../scheduling/budget.ts";

/** The limits of each connection. */
export function budgetLimits(
  options: ResolvedOptions,
): Readonly<Record<ConnectionBudgetKind, BudgetLimit>> {
  const limit = (option: keyof ResolvedOptions & `maximum${string}`, things: string) => ({
    most: Number(options[option]),
    things,
    option,
  });
  return {
    bytes: limit("maximumQueuedReceiveBytes", "bytes that wait to be handled"),
    commands: limit("maximumGroupCommandsPerConnection", "changes of groups under way"),
  };
}
