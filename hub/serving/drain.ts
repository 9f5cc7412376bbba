import type { NodeContext } from "../bus/node_context.ts";
import { RECONNECT } from "../connection/closing.ts";
import type { HubConnection } from "../connection/connection.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { visitAll } from "../scheduling/visits.ts";
import type { LiveHub } from "./live_hub.ts";
import { pause } from "./pause.ts";
import type { DrainOptions } from "../options/serving.ts";

/** The longest a closing server waits for its hubs' `disconnected`, in milliseconds; as upstream. */
const SHUTDOWN_TIMEOUT = 5000;

/** The pause between two looks at what other nodes have not confirmed, in milliseconds. */
const GIVING_PAUSE = 50;

type DrainContext = Pick<NodeContext, "clock" | "scheduler" | "limitedLog">;

/** Connections that are retired together. */
type Batch = (readonly [LiveHub, HubConnection])[];

/**
 * Asks all clients to reconnect to another node, `batch` at a time. A connection is closed when its
 * running calls have finished, or after `timeout`. Resolves when all connections have ended; `cut` ends
 * the wait.
 */
export async function drainHubs(
  hubs: readonly LiveHub[],
  options: Required<DrainOptions>,
  context: DrainContext,
  cut: AbortSignal,
  moves = false,
): Promise<void> {
  const over = new AbortController();
  const { promise: late, resolve: expire } = Promise.withResolvers<void>();
  over.signal.addEventListener("abort", () => expire(), { once: true });
  cut.addEventListener("abort", () => over.abort(), { once: true });
  const deadline = context.clock.after(options.timeout, () => over.abort());
  await Promise.race([retireAll(hubs, options, context, over.signal, moves), late]);
  // A call that never ends must not keep its connection open.
  over.abort();
  deadline[Symbol.dispose]();
  await endHubs(hubs, context);
}

/** Retires one batch after the other; resolves when all their connections have ended. */
async function retireAll(
  hubs: readonly LiveHub[],
  { timeout, streamTimeout, batch: size, interval }: Required<DrainOptions>,
  context: DrainContext,
  over: AbortSignal,
  moves: boolean,
): Promise<void> {
  const { clock, scheduler } = context;
  const streams = new Deadlines<Batch>(clock, streamTimeout, (batch) => {
    visitAll(context, batch, ([hub, connection]) => hub.endStreams(connection));
  });
  over.addEventListener("abort", () => streams.clear(), { once: true });
  const count = hubs.reduce((sum, { connectionCount }) => sum + connectionCount, 0);
  const pauses = Math.ceil(count / size) - 1;
  // A call that begins before the last batch has half of the time to end.
  const delay = Math.min(interval, timeout / 2 / pauses);
  const ended: Promise<unknown>[] = [];
  let batch: Batch = [];
  for (const hub of hubs) {
    for (const connection of hub.connections) {
      if (batch.length === size) {
        await pause(clock, delay, over);
        batch = [];
      }
      if (over.aborted) return;
      if (batch.push([hub, connection]) === 1) streams.begin(batch);
      const retired = hub.retire(connection, moves ? over : undefined);
      ended.push(retired);
      // A connection that can move and whose client does not come back waits for the end.
      if (!moves || !hub.canMove(connection)) ended.push(connection.finished);
      const nextTurn = scheduler.spend();
      if (nextTurn !== undefined) await nextTurn;
    }
  }
  await Promise.all(ended);
  if (moves) await finishMoves(hubs, context, streams, over);
  while (hubs.some(({ handovers }) => handovers.giving)) await pause(clock, GIVING_PAUSE, over);
}

/** Parks the connections that are still here, once nothing of any of them runs: then this node sends nothing more. */
async function finishMoves(
  hubs: readonly LiveHub[],
  context: DrainContext,
  streams: Deadlines<Batch>,
  over: AbortSignal,
): Promise<void> {
  const left = hubs.flatMap((hub) =>
    [...hub.connections].map((connection) => [hub, connection] as const)
  );
  if (left.length > 0) streams.begin(left);
  await Promise.all(left.map(([hub, connection]) => hub.moves.idle(connection, over)));
  await visitAll(context, left, ([hub, connection]) => hub.handovers.finish(connection, over));
  for (const { handovers } of hubs) handovers.parkElsewhere();
}

/** Ends every connection, in bounded turns; resolves when the hubs have dealt with it, or after 5 s. */
export async function endHubs(hubs: readonly LiveHub[], context: DrainContext): Promise<void> {
  const connections = hubs.flatMap((hub) => [...hub.connections]);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = context.clock.after(SHUTDOWN_TIMEOUT, resolve);
  await visitAll(context, connections, (connection) => connection.close(RECONNECT));
  await Promise.race([Promise.all(connections.map((connection) => connection.finished)), late]);
  timer[Symbol.dispose]();
}
