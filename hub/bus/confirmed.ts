import type { Backplane, BackplaneSubscription } from "../../backplanes/backplane.ts";
import { BackplaneClosedError } from "../../backplanes/errors.ts";

/**
 * Resolves when the bus has confirmed all of `wanted` and is `open`, however long that takes.
 *
 * @throws {BackplaneClosedError} when the backplane is closed.
 */
export async function untilConfirmed(
  backplane: Backplane,
  wanted: readonly BackplaneSubscription[],
): Promise<void> {
  while (true) {
    try {
      await Promise.all(wanted.map((subscription) => subscription.confirmed));
      // A driver with two connections may hear before it can speak.
      if (backplane.status === "open") return;
    } catch (error) {
      if (backplane.status === "closed") throw error;
    }
    if (backplane.status === "closed") {
      throw new BackplaneClosedError("Cannot start hub: the backplane is closed");
    }
    // The driver asks again for a channel that the bus refuses, and says when the bus gives in.
    await nextStatus(backplane);
  }
}

function nextStatus(backplane: Backplane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listening = backplane.onStatus(() => {
    listening[Symbol.dispose]();
    resolve();
  });
  return promise;
}
