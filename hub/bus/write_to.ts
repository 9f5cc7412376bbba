import type { Frames } from "../protocol/serialized_invocation.ts";
import type { Recipient } from "./recipient.ts";

/**
 * Writes a message to `recipients` but the excluded; returns to how many. Adds those to `congested` that a
 * sender should wait for.
 */
export function writeTo(
  recipients: Iterable<Recipient>,
  frames: Frames,
  excluded: readonly string[] = [],
  congested?: Recipient[],
): number {
  const absent = excluded.length > 8 ? new Set(excluded) : undefined;
  let reached = 0;
  for (const recipient of recipients) {
    if (absent !== undefined ? absent.has(recipient.id) : excluded.includes(recipient.id)) continue;
    const frame = frames.frame(recipient.protocol);
    if (frame === undefined) {
      recipient.unreadable();
      continue;
    }
    if (recipient.write(frame)) congested?.push(recipient);
    reached++;
  }
  return reached;
}
