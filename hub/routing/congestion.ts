import type { Recipient } from "../bus/recipient.ts";

/** How many recipients a sender waits for at most; they stand for the others. */
const MAXIMUM_WAITS = 16;

/**
 * Returns a promise while most of the recipients that have a message are `congested`; `reached` is how many
 * have it. One slow member of a group holds up nobody.
 */
export function untilMostAreWritable(
  congested: readonly Recipient[],
  reached: number,
): Promise<void> | undefined {
  if (congested.length * 2 <= reached) return undefined;
  const step = Math.ceil(congested.length / MAXIMUM_WAITS);
  const waits: Promise<void>[] = [];
  for (let at = 0; at < congested.length; at += step) {
    const wait = congested[at]?.untilWritable();
    if (wait !== undefined) waits.push(wait);
  }
  const [first] = waits;
  if (waits.length <= 1) return first;
  return new Promise((resolve) => {
    let left = waits.length;
    const ended = () => {
      if (--left * 2 <= waits.length) resolve();
    };
    for (const wait of waits) wait.then(ended);
  });
}
