import type { QuestionIds } from "./asked.ts";
import type { HeardChannel } from "./heard_channel.ts";
import type { RepairLimits } from "./hole_repairs.ts";
import type { Peers } from "./peers.ts";
import type { Recipient } from "./recipient.ts";
import type { Repair } from "./repair.ts";
import type { RepairEffects, RepairQuestion } from "./repair_effects.ts";

/** What a member that catches up needs of its hub. */
export interface CatchUpParts {
  readonly serverName: string;
  readonly limits: RepairLimits;
  readonly effects: RepairEffects;
  readonly ids: QuestionIds;
  /** The repairs of the members that were here before, and what these know of other nodes. */
  readonly repair: Repair;
  readonly peers: Peers;
  /** Asks another node; as {@link RepairEffects.ask}. */
  ask(node: string, question: RepairQuestion): boolean;
  /** Whether a node counts as living. */
  lives(node: string): boolean;
  isMember(channel: HeardChannel, recipient: Recipient): boolean;
}
