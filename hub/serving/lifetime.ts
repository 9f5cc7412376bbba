/**
 * The beginning, the move and the end of connections, as the hooks of a hub and the log see them.
 *
 * @module
 */
import type { CloseCause } from "../connection/closing.ts";
import { toError } from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import { CallContext, type CallingConnection } from "../dispatch/call_context.ts";
import type { Hooks } from "../dispatch/filters.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";

/** A hook that runs before messages of the client are read; a throw ends the connection. */
export type OpeningHook = "connected" | "resumed";

/** The text of the log about connections that have ended with an error. */
const ENDED = "The connection of a client has ended";

/** A context outside any call. The client could not answer: none of its messages is read. */
function lifetimeContext(connection: CallingConnection, where: string): CallContext {
  return new CallContext(connection, {
    get signal() {
      return connection.signal;
    },
    beforeInvoke() {
      throw new Error(`Client results inside ${where} Hub methods are not allowed.`);
    },
  });
}

/** Runs a hook once a connection is `reachable`; rejects with what the hook throws. */
export async function greet(
  hook: OpeningHook,
  hooks: Hooks,
  connection: CallingConnection,
  reachable: Promise<unknown> | undefined,
  limitedLog: LimitedLog,
): Promise<void> {
  await reachable;
  try {
    await hooks[hook]?.(lifetimeContext(connection, hook));
  } catch (error) {
    if (error instanceof HubError) {
      limitedLog.log("debug", `refused by ${hook}`, `A client is refused by ${hook}:`, error);
    } else limitedLog.failure(`Hub's ${hook} failed:`, error);
    throw toError(error);
  }
}

/** Runs `disconnected`; never rejects. */
export async function takeLeave(
  hooks: Hooks,
  connection: CallingConnection,
  cause: Error | undefined,
  limitedLog: LimitedLog,
): Promise<void> {
  try {
    await hooks.disconnected?.(lifetimeContext(connection, "disconnected"), cause);
  } catch (error) {
    limitedLog.failure("Hub's disconnected failed:", error);
  }
}

/** Logs the end of a connection. */
export function logEnd(id: string, { error, level }: CloseCause, limitedLog: LimitedLog): void {
  if (error === undefined) return limitedLog.log("debug", "ended", "A client has left:", id);
  if (level === "error") {
    return limitedLog.failure("A message of a client could not be handled:", error);
  }
  const text = `${ENDED}: ${error.message}`;
  // The text of a limit names no value of a client; other texts may.
  const [kind, summary] = level === "warn" ? [text, text] : [`ended: ${level}`, ENDED];
  limitedLog.logOne(level ?? "debug", kind, summary, text, id);
}
