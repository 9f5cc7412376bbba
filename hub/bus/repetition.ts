import type { ChannelNumber, RepeatedMessage } from "./node_messages.ts";
import type { Ring, SentChannel } from "./ring.ts";

/** What a message or a channel counts in an answer beside its bytes. */
const ITEM_BYTES = 32;

/** The index of what was published after a number. */
export interface Index {
  readonly upTo: number;
  readonly number: number;
  readonly from: number;
  readonly age: number | undefined;
  readonly channels: ChannelNumber[];
}

/** What was published on a channel after a number. */
export interface Repetition {
  readonly upTo: number;
  readonly number: number;
  readonly missing: number;
  readonly messages: RepeatedMessage[];
}

/** What another node asks for: messages after a number, and not longer than `age` before `now`. */
interface Wanted {
  readonly after: number;
  readonly age: number | undefined;
  readonly now: number;
  /** How many bytes the answer may have, unless it is one message. */
  readonly bytes: number;
}

/** Which channels have had messages; `number` is the last of the node. */
export function indexOf(
  ring: Ring,
  number: number,
  { after, age, now, bytes: most }: Wanted,
): Index {
  const { from, forgottenAt } = ring;
  const oldest = age === undefined ? -Infinity : now - age;
  const channels: ChannelNumber[] = [];
  let upTo = number;
  let bytes = 0;
  for (const entry of ring.latest(after)) {
    if (entry.at < oldest) continue;
    channels.push([entry.channel.name, entry.number]);
    bytes += entry.channel.name.length + ITEM_BYTES;
    if (bytes < most) continue;
    upTo = entry.number;
    break;
  }
  return { upTo, number, from, age: from > 1 ? now - forgottenAt : undefined, channels };
}

/**
 * The messages of a channel. `number` is the last of the node; a channel that is not known has no later
 * message than `forgotten`.
 */
export function repetitionOf(
  ring: Ring,
  { number, forgotten }: { readonly number: number; readonly forgotten: number },
  channel: SentChannel | undefined,
  { after, age, now, bytes: most }: Wanted,
): Repetition {
  const messages: RepeatedMessage[] = [];
  const oldest = age === undefined ? -Infinity : now - age;
  // A node that has heard the channel before compares the messages with the last one.
  const isNew = age !== undefined;
  let missing = 0;
  if (channel === undefined || channel.last <= after) {
    // It may have had messages that are forgotten.
    if (channel === undefined && isNew && after < forgotten && ring.forgottenAt >= oldest) {
      missing = 1;
    }
    return { upTo: number, number, missing, messages };
  }
  let bytes = 0;
  let upTo = number;
  let before: number | undefined;
  for (const entry of ring.of(channel, after)) {
    const { back, at } = entry;
    before ??= back > 0 ? entry.number - back : back < 0 && isNew ? entry.number + back : 0;
    if (at < oldest) continue;
    const payload = entry.number < ring.payloadsFrom ? null : ring.payload(entry.number);
    bytes += (payload?.length ?? 0) + ITEM_BYTES;
    if (bytes > most && messages.length > 0) {
      // The one who asks asks again for the rest.
      upTo = messages.at(-1)?.number ?? upTo;
      break;
    }
    messages.push({ number: entry.number, back, age: Math.max(0, now - at), payload });
  }
  // The message before is forgotten, and perhaps others before it.
  if ((before ?? channel.last) > after && ring.forgottenAt >= oldest) missing = 1;
  return { upTo, number, missing, messages };
}
