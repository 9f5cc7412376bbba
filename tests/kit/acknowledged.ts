import { delay } from "@std/async";

/**
 * Resolves when nothing is left of stateful clients that were stopped. Their timer for the next
 * acknowledgement goes on without them for a second (`_ackTimer` in their `MessageBuffer.js`), which
 * nothing tells the end of.
 */
export async function acknowledged(): Promise<void> {
  await delay(1100);
}
