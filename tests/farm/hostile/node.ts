/**
 * A node in a process of its own, so that its memory and descriptors can be measured from outside, and
 * so that its death can be seen: `node.ts SERVER OPTIONS` with the name of a server and options as
 * JSON. Prints its port and its memory, then stays until it is killed; for each line that it reads, it
 * prints what it holds.
 *
 * @module
 */
import { createHubServer, MemoryBackplane } from "@hubplane/hubplane";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { TextLineStream } from "../../kit/servers/text_lines.ts";
import { hostileHub } from "./hostile_hub.ts";
import { liveMiB } from "./live_memory.ts";
import { StateCounter } from "./node_state.ts";

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
const counter = await StateCounter.start(server);

function print(line: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

print({ port, liveMiB: liveMiB() });
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const _ of lines) print(await counter.count());
