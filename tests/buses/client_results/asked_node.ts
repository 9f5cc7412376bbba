/**
 * A node in a process of its own, so that a test can kill it: `asked_node.ts SERVER BUS`, where the server
 * is one of the {@link HOSTS}, and the bus as for {@link openBus}. It prints its URL once it is ready.
 *
 * @module
 */
import { HOSTS } from "../../kit/servers/hosts.ts";
import { startNode } from "./asking.ts";
import { openBus } from "./open_bus.ts";

if (import.meta.main) {
  const [name = "", url = ""] = Deno.args;
  const host = HOSTS[name];
  if (host === undefined) throw new Error(`Cannot find host: ${name}`);
  const node = await startNode(await openBus(url), host);
  Deno.stdout.writeSync(new TextEncoder().encode(`${node.url("/hub")}\n`));
}
