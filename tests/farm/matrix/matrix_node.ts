import type { Backplane, Hub, HubMethods, HubServerOptions } from "../../../mod.ts";
import { RunningNode } from "../../kit/running_node.ts";
import type { Host } from "../../kit/servers/hosts.ts";
import { gate } from "../../kit/matrix/gate.ts";
import { richHub } from "../../kit/matrix/rich_hub.ts";

/** A node with the hub of the matrix at `/hub`. */
export type MatrixNode = RunningNode<{ "/hub": Hub<HubMethods> }>;

/** What nodes of the matrix differ in. */
export interface MatrixNodeOptions extends HubServerOptions {
  /** The bus; a private one unless told otherwise. */
  readonly backplane?: Backplane;
}

/** Starts a node of the matrix; those of one process have one journal. */
export async function startMatrixNode(
  host: Host,
  options: MatrixNodeOptions = {},
): Promise<MatrixNode> {
  const node = await RunningNode.start({
    ...options,
    hubs: { "/hub": richHub() },
    authenticate: gate(),
    allowStatefulReconnects: true,
  }, host);
  await node.server.ready;
  return node;
}
