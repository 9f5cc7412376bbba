/**
 * A node in a process of its own, so that its memory and descriptors can be measured from outside, and
 * so that its death can be seen: `node.ts SERVER OPTIONS BUS` with the name of a server, options as
 * JSON and the URL of the bus. Prints its port and its memory, then stays until it is killed; for each
 * line that it reads, it prints what it holds: all of that, or the `entries` of its maps alone.
 *
 * @module
 */
import { createHubServer, openBackplane } from "@hubplane/hubplane";
import { delay } from "@std/async";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { TextLineStream } from "../../kit/servers/text_lines.ts";
import { hostileHub } from "./hostile_hub.ts";
import { liveMiB } from "./live_memory.ts";
import { StateCounter } from "./node_state.ts";

/** Writes an entry of the log as one line. */
function complain(...parts: unknown[]): void {
  const text = parts.map((part) => part instanceof Error ? Deno.inspect(part) : `${part}`).join(
    " ",
  );
  Deno.stderr.writeSync(new TextEncoder().encode(`${text.replaceAll("\n", " ")}\n`));
}

/** An attacker that reaches a limit is nothing to complain about. */
function warn(...parts: unknown[]): void {
  const text = `${parts[0]}`;
  if (!text.startsWith("The connection of a client has ended")) complain(...parts);
}

const [name = "", options = "{}", bus = "memory:"] = Deno.args;
const host = HOSTS[name];
if (host === undefined) throw new TypeError(`Cannot start node: no server ${name}`);
const server = createHubServer({
  hubs: { "/hub": hostileHub },
  backplane: await openBackplane(bus),
  allowStatefulReconnects: true,
  health: { live: "/healthz", ready: "/readyz" },
  // Ids of connections that have ended are remembered for so long, and every test waits until they are not.
  groupAckTimeout: 100,
  // What a node keeps for others is no trace of an attack.
  repairBufferBytes: 2 ** 20,
  authenticate(request) {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("slow")) return delay(1000).then(() => undefined);
    const user = searchParams.get("user");
    return user === null ? undefined : { id: user };
  },
  // Standard output is for answers.
  logger: { debug() {}, info() {}, warn, error: complain },
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
for await (const question of lines) {
  print(await (question === "entries" ? counter.entries() : counter.count()));
}
