import type { LimitedLog } from "../scheduling/limited_log.ts";

/** Logs that a node counts as dead. */
export function reportDeath(log: LimitedLog, node: string): void {
  const text = "A node is dead: five signs of life are missing:";
  log.log("warn", text, text, node);
}

/** Logs that a node is ignored because there are too many. */
export function reportCrowd(log: LimitedLog): void {
  const text = "Ignored a node: more than 1,000 are known";
  log.log("warn", text, text);
}
