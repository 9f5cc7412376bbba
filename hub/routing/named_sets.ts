import type { Frames } from "../protocol/serialized_invocation.ts";
import type { Recipient } from "./recipient.ts";

/** Named sets of the connections on this node: the groups, or the users. */
export class Members {
  readonly #sets = new Map<string, Set<Recipient>>();

  /** Adds a member; returns whether it was none before. */
  add(name: string, recipient: Recipient): boolean {
    let set = this.#sets.get(name);
    if (set === undefined) this.#sets.set(name, set = new Set());
    const before = set.size;
    return set.add(recipient).size > before;
  }

  /** Removes a member; returns whether it was the last. */
  remove(name: string, recipient: Recipient): boolean {
    const set = this.#sets.get(name);
    if (set === undefined || !set.delete(recipient) || set.size > 0) return false;
    return this.#sets.delete(name);
  }

  /** The members of `name`, none if nobody is here. */
  of(name: string): ReadonlySet<Recipient> {
    return this.#sets.get(name) ?? NOBODY;
  }
}

const NOBODY: ReadonlySet<Recipient> = new Set();

/** Writes a message to `recipients` but the excluded; returns to how many. */
export function deliver(
  recipients: Iterable<Recipient>,
  frames: Frames,
  excluded: readonly string[] = [],
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
    recipient.write(frame);
    reached++;
  }
  return reached;
}
