/** The losses that a repair reports on all channels that this node listens to. */
import type { Peer } from "./heard_channel.ts";
import type { IndexAnswer } from "./node_messages.ts";
import type { RepairEffects } from "./repair_effects.ts";

type Effects = Pick<RepairEffects, "channels" | "lost">;

/** When the first channel was wanted that this node listens to now. */
export function listensSince({ channels }: Pick<Effects, "channels">): number | undefined {
  // They come in the order in which they were wanted.
  for (const { confirmedAt, requestedAt } of channels()) {
    if (confirmedAt !== undefined) return requestedAt;
  }
  return undefined;
}

/** On every channel something is missing, perhaps. */
export function lostPerhaps(effects: Effects): void {
  for (const channel of effects.channels()) {
    if (channel.confirmedAt !== undefined) effects.lost(channel, 0);
  }
}

/** A node does not know any more what it has published long ago. */
export function lostBefore(effects: Effects, peer: Peer, answer: IndexAnswer, now: number): void {
  const { from, age = Infinity } = answer;
  for (const channel of effects.channels()) {
    const { confirmedAt } = channel;
    if (confirmedAt === undefined || channel.floor(peer) >= from - 1) continue;
    // It was handed over before the channel was confirmed.
    if (channel.last(peer) === undefined && now - age <= confirmedAt) continue;
    effects.lost(channel, 0);
  }
}
