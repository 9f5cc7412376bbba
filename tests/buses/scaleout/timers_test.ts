import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { Child } from "../../kit/child.ts";
import { HubPeer } from "../../kit/hub_peer.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";

const NODE = new URL("./timed_node.ts", import.meta.url).pathname;
const FEW = 10;
const MANY = 1000;

const encoder = new TextEncoder();

/** How many timers a node keeps; those that come and go between two looks do not count. */
async function timersOf(peer: HubPeer): Promise<number> {
  let fewest = Infinity;
  for (let look = 0; look < 15; look++) {
    const call = { type: 1, invocationId: `${look}`, target: "timers", arguments: [] };
    await peer.send(encoder.encode(`${JSON.stringify(call)}\x1e`));
    const answer = await peer.next();
    assert(typeof answer?.result === "number", Deno.inspect(answer));
    fewest = Math.min(fewest, answer.result);
    await delay(100);
  }
  return fewest;
}

for (const server of Object.keys(HOSTS)) {
  Deno.test(`createHubServer() keeps as many timers for 1,000 connections as for 10, on ${server}`, async () => {
    await using node = Child.start("run", "--allow-net", "--allow-env", "--quiet", NODE, server);
    const port = Number((await node.until(/port (\d+)/))[1]);
    using stack = new DisposableStack();
    const peers: HubPeer[] = [];
    const connectUpTo = async (count: number) => {
      while (peers.length < count) {
        // Half of them share a user; all of them are in one group.
        const query = `?user=${peers.length % 2 === 0 ? "ann" : peers.length}`;
        peers.push(stack.use(await HubPeer.open(port, "json", { query })));
      }
    };
    await connectUpTo(FEW);
    const [first] = peers;
    assert(first !== undefined);
    const timers = await timersOf(first);
    assert(timers > 0, "the heartbeat is a timer");
    await connectUpTo(MANY);
    assertEquals(await timersOf(first), timers);
  });
}
