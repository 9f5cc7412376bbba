import type { NodeContext } from "../bus/node_context.ts";

/** The parts of a node that its cluster needs. The clock never stands still while the node does. */
export interface ClusterContext
  extends Omit<NodeContext, "cluster" | "gaps" | "logger" | "options" | "time"> {
  /** The date of this node as other nodes know it: it never jumps. */
  readonly date: () => number;
}
