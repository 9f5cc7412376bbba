/**
 * How a node is:
 *
 * - `starting`, `up`, `draining`: what the node says that it does.
 * - `suspect`: three of its signs are missing.
 * - `dead`: five of its signs are missing. A dead node that gives a sign again is up at once.
 * - `gone`: it has said goodbye.
 * - `unknown`: no sign of it has come since this node listens, because the backplane of this node was away,
 *   or because this node stood still; or it was heard, but has given no sign yet.
 */
export type NodeState =
  | "starting"
  | "up"
  | "draining"
  | "suspect"
  | "dead"
  | "gone"
  | "unknown";

/** A node of the farm. Dates are epoch milliseconds. */
export interface ServerNode {
  /** The name of the node: a new one at each start of a server. */
  readonly name: string;
  /** How the node is, as far as this node can tell. */
  readonly state: NodeState;
  /** Since when it has been in that state, by the clock of this node. */
  readonly since: number;
  /** When the node started, by its own clock; `undefined` before its first sign. */
  readonly started: number | undefined;
  /** How many connections it had at its last sign; `undefined` before its first sign. */
  readonly connections: number | undefined;
  /** When its last sign came, by the clock of this node; `undefined` before its first sign. */
  readonly lastSign: number | undefined;
}

/** A change of the state of a node. */
export interface ServerNodeEvent {
  /** The name of the node. */
  readonly node: string;
  /** The state from now on. */
  readonly state: NodeState;
  /** The state before; `undefined` for a node that was not known. */
  readonly before: NodeState | undefined;
}
