import type { BackplaneGap } from "../bus/node_context.ts";
import type { Logger } from "../definition/logger.ts";

/** Reports that messages of other nodes may have been lost: to the log, and to `onGap`. */
export function reportGap(
  gap: BackplaneGap,
  onGap: ((gap: BackplaneGap) => void) | undefined,
  logger: Logger,
): void {
  const since = new Date(gap.since).toISOString();
  const until = new Date(gap.until).toISOString();
  logger.warn(`Messages of other nodes may have been missed from ${since} to ${until}`);
  try {
    onGap?.(gap);
  } catch (error) {
    logger.error("onGap failed:", error);
  }
}
