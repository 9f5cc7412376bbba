import type { HeardChannel } from "./heard_channel.ts";
import { follows, type Held, type Hole, sorted } from "./holes.ts";
import type { MessagesAnswer, RepeatedMessage } from "./node_messages.ts";

/** What becomes of the messages of a hole. */
export interface Joined {
  /** The payloads to deliver, in their order. */
  readonly deliver: readonly Uint8Array[];
  /** How many messages are missing, at least. */
  readonly lost: number;
  /** The last number that was dealt with. */
  readonly last: number;
}

/** Joins the messages that a node has repeated with those up to its last one that came meanwhile. */
export function joined(
  hole: Hole,
  answer: MessagesAnswer,
  askedAt: number,
  now: number,
): Joined {
  const { channel, peer, first, held } = hole;
  const messages = new Map<number, Held | RepeatedMessage>();
  for (const message of answer.messages) messages.set(message.number, message);
  for (const [number, message] of held) {
    if (number <= answer.upTo) messages.set(number, message);
  }
  const deliver: Uint8Array[] = [];
  let lost = answer.missing;
  let last = hole.after;
  for (const [number, message] of sorted(messages)) {
    if (number <= last) continue;
    const { back, payload } = message;
    // The node has forgotten what it published on the channel before.
    if (!first && answer.missing === 0 && !follows(number, back, Math.max(last, peer.sure))) lost++;
    last = number;
    const fate = first && "age" in message ? fateOf(channel, message.age, askedAt, now) : "deliver";
    // The bus has refused it, or it was not meant for this channel yet.
    if (payload === undefined || fate === "early") continue;
    if (payload === null || fate === "unknown") lost++;
    else deliver.push(payload);
  }
  // The node does not know what it should have, or has held back.
  if (hole.want > last && hole.want <= answer.upTo && answer.missing === 0) lost++;
  return { deliver, lost, last: Math.max(last, answer.upTo) };
}

/**
 * Whether a message is delivered on a channel that is new. What was handed over before the channel was
 * confirmed is not; but while the question was on its way, nobody knows the time exactly. What was
 * certainly handed over after the channel was wanted harms nobody.
 */
function fateOf(
  { confirmedAt = Infinity, requestedAt }: HeardChannel,
  age: number,
  askedAt: number,
  now: number,
): "deliver" | "early" | "unknown" {
  // The answer was given between the question and now.
  if (askedAt - age >= confirmedAt) return "deliver";
  if (now - age <= confirmedAt) return "early";
  return askedAt - age >= requestedAt ? "deliver" : "unknown";
}
