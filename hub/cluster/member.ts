import type { NodeActivity, Sign } from "../bus/node_messages.ts";
import type { NodeState } from "./node.ts";

/** The pauses between two signs that a node may announce, in milliseconds. */
const SHORTEST_INTERVAL = 100;
const LONGEST_INTERVAL = 60_000;

/** A moment, in milliseconds: on a clock that never jumps, and as a date. */
export interface Instant {
  readonly now: number;
  readonly date: number;
}

/** A node, as another one sees it. */
export interface Member {
  readonly name: string;
  /** `undefined` until the node is in one of the maps. */
  state: NodeState | undefined;
  since: number;
  /** The number of the last sign; 0 before the first. */
  id: number;
  activity: NodeActivity;
  started: number | undefined;
  connections: number | undefined;
  lastSign: number | undefined;
  /** When it was last heard, on the clock that never jumps. */
  heard: number;
  interval: number;
}

/** Whether a node is there no more. */
export function hasEnded(state: NodeState): boolean {
  return state === "dead" || state === "gone";
}

/** A node that is heard for the first time; `interval` counts until its first sign. */
export function newMember(name: string, interval: number, { now, date }: Instant): Member {
  return {
    ...{ name, state: undefined, since: date, id: 0, activity: "up", heard: now, interval },
    ...{ started: undefined, connections: undefined, lastSign: undefined },
  };
}

/** Takes over what a sign says. */
export function take(member: Member, { id, activity, interval, started, connections }: Sign): void {
  member.id = id;
  member.activity = activity;
  member.interval = Math.min(Math.max(interval, SHORTEST_INTERVAL), LONGEST_INTERVAL);
  member.started = started;
  member.connections = connections;
}
