import { deadline } from "@std/async";
import type { Backplane, BackplaneStatusEvent } from "../../../backplanes/backplane.ts";

/** Resolves with the next status event that `matches`, within `timeout` milliseconds. */
export async function untilEvent(
  backplane: Backplane,
  matches: (event: BackplaneStatusEvent) => boolean,
  timeout = 5000,
): Promise<BackplaneStatusEvent> {
  const { promise, resolve } = Promise.withResolvers<BackplaneStatusEvent>();
  using _listener = backplane.onStatus((event) => {
    if (matches(event)) resolve(event);
  });
  return await deadline(promise, timeout);
}

/** Resolves when `backplane` is open, within 5 seconds. */
export async function untilOpen(backplane: Backplane): Promise<void> {
  if (backplane.status !== "open") await untilEvent(backplane, ({ status }) => status === "open");
}

/** Resolves with the error that closed `backplane`, within 5 seconds. */
export async function untilClosed(backplane: Backplane): Promise<Error> {
  const { error } = await untilEvent(backplane, ({ status }) => status === "closed");
  if (error === undefined) throw new Error("Cannot tell why it closed: the event has no error");
  return error;
}
