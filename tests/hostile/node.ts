/**
 * A node in a process of its own, so that its memory and descriptors can be measured from outside, and
 * so that its death can be seen: `node.ts SERVER OPTIONS` with the name of a server and options as
 * JSON. Prints its port, then stays until it is killed.
 *
 * @module
 */
import { createHubServer, MemoryBackplane } from "@hubplane/hubplane";
import { HOSTS } from "../servers/hosts.ts";
import { hostileHub } from "./hostile_hub.ts";

const [name = "", options = "{}"] = Deno.args;
const host = HOSTS[name];
if (host === undefined) throw new TypeError(`Cannot start node: no server ${name}`);
const server = createHubServer({
  hubs: { "/hub": hostileHub },
  backplane: new MemoryBackplane(),
  allowStatefulReconnects: true,
  authenticate(request) {
    const user = new URL(request.url).searchParams.get("user");
    return user === null ? undefined : { id: user };
  },
  ...JSON.parse(options),
});
await server.ready;
const { port } = await host(server);
Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
