import type { Clock } from "../clock.ts";
import { RECONNECT } from "../connection/closing.ts";
import type { LiveHub } from "./live_hub.ts";
import type { DrainOptions } from "../options/serving.ts";

/** The longest a closing server waits for its hubs' `disconnected`, in milliseconds; as upstream. */
const SHUTDOWN_TIMEOUT = 5000;

/** Resolves after `delay`, or at once when `signal` is aborted. */
async function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delay, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
  timer[Symbol.dispose]();
}

/**
 * Asks all clients to reconnect to another node, `batch` at a time. A connection is closed when its
 * running calls have finished, or after `timeout`. Resolves when all connections have ended; `cut` ends
 * the wait.
 */
export async function drainHubs(
  hubs: readonly LiveHub[],
  options: Required<DrainOptions>,
  clock: Clock,
  cut: AbortSignal,
): Promise<void> {
  const { promise: late, resolve: expire } = Promise.withResolvers<void>();
  const deadline = clock.after(options.timeout, expire);
  cut.addEventListener("abort", () => expire(), { once: true });
  const ended: Promise<unknown>[] = [];
  let inBatch = 0;
  for (const hub of hubs) {
    for (const connection of hub.connections) {
      if (inBatch === options.batch) {
        await pause(clock, options.interval, cut);
        inBatch = 0;
      }
      inBatch++;
      // A call that never ends must not keep its connection open.
      late.then(() => connection.close(RECONNECT));
      ended.push(hub.retire(connection), connection.finished);
    }
  }
  await Promise.race([Promise.all(ended), late]);
  deadline[Symbol.dispose]();
  await endHubs(hubs, clock);
}

/** Ends every connection at once; resolves when the hubs have dealt with it, or after 5 s. */
export async function endHubs(hubs: readonly LiveHub[], clock: Clock): Promise<void> {
  const connections = hubs.flatMap((hub) => [...hub.connections]);
  for (const connection of connections) connection.close(RECONNECT);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(SHUTDOWN_TIMEOUT, resolve);
  await Promise.race([Promise.all(connections.map((connection) => connection.finished)), late]);
  timer[Symbol.dispose]();
}
