import type { Hubs } from "../../../mod.ts";
import { type NodeConfiguration, RunningNode } from "../running_node.ts";
import { type Host, HOSTS } from "./hosts.ts";

/** Starts a node behind one of the {@link HOSTS}. */
export type Serve = <const H extends Hubs>(
  configuration: NodeConfiguration<H>,
) => Promise<RunningNode<H>>;

/** Registers a test for every server; `serve` starts nodes, `host` serves hubs that are there already. */
export function onEachServer(
  name: string,
  test: (serve: Serve, host: Host) => Promise<void>,
  options: Omit<Deno.TestDefinition, "name" | "fn"> = {},
): void {
  for (const [server, host] of Object.entries(HOSTS)) {
    const serve: Serve = (configuration) => RunningNode.start(configuration, host);
    Deno.test({ ...options, name: `${name}, on ${server}`, fn: () => test(serve, host) });
  }
}
