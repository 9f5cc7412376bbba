import type { Backplane, BackplaneGap, BackplaneStatusEvent } from "../bus/node_context.ts";
import type { Logger } from "../definition/logger.ts";

/** Reports that messages of other nodes may have been lost: to the log, and to `onGap`. */
export function reportGaps(
  backplane: Backplane,
  onGap: ((gap: BackplaneGap) => unknown) | undefined,
  logger: Logger,
): void {
  backplane.onStatus(({ gap }) => {
    if (gap === undefined) return;
    const since = new Date(gap.since).toISOString();
    const until = new Date(gap.until).toISOString();
    logger.warn(`Messages of other nodes may have been missed from ${since} to ${until}`);
    notify(() => onGap?.(gap), "onGap", logger);
  });
}

/** Calls `listener` with every status event; a listener that fails is logged. */
export function listenToStatus(
  backplane: Backplane,
  listener: (event: BackplaneStatusEvent) => unknown,
  logger: Logger,
): Disposable {
  return backplane.onStatus((event) => void notify(() => listener(event), "onStatus", logger));
}

/** Calls `listener` with every change of a node; a listener that fails is logged. */
export function listenToNodes<E>(
  nodes: { onChange(listener: (event: E) => void): Disposable },
  listener: (event: E) => unknown,
  logger: Logger,
): Disposable {
  return nodes.onChange((event) => void notify(() => listener(event), "onNodes", logger));
}

/** A listener of the application may throw, or be `async` and reject: neither may end the process. */
async function notify(call: () => unknown, name: string, logger: Logger): Promise<void> {
  try {
    await call();
  } catch (error) {
    logger.error(`${name} failed:`, error);
  }
}
