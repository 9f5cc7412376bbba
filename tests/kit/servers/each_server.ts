import type { Hubs } from "../../../mod.ts";
import { type NodeConfiguration, RunningNode } from "../running_node.ts";
import { type Host, HOSTS } from "./hosts.ts";

/** Starts a node behind one of the {@link HOSTS}. */
export type Serve = <const H extends Hubs>(
  configuration: NodeConfiguration<H>,
) => Promise<RunningNode<H>>;

/**
 * The tests of one name, one for each server. The file that calls this passes them to `Deno.test`, so
 * that reports name that file. `serve` starts a node, `host` serves a hub server that exists already.
 */
export function onEachServer(
  name: string,
  test: (serve: Serve, host: Host) => Promise<void>,
  options: Omit<Deno.TestDefinition, "name" | "fn"> = {},
): Deno.TestDefinition[] {
  return Object.entries(HOSTS).map(([server, host]) => {
    const serve: Serve = (configuration) => RunningNode.start(configuration, host);
    return { ...options, name: `${name}, on ${server}`, fn: () => test(serve, host) };
  });
}
