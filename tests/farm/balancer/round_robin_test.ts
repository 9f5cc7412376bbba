import { assert, assertEquals } from "@std/assert";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { until } from "../../kit/wait.ts";
import { startFarm } from "./farm.ts";

/** The example without its cookies: each request goes to the next node. */
function withoutCookies(example: string): string {
  const edited = example
    .replace("balance leastconn", "balance roundrobin")
    .replace(/^ *cookie .*$/m, "")
    .replaceAll(/ cookie [ab]$/gm, "");
  assert(!/^ *[^# ].*cookie/m.test(edited), edited);
  return edited;
}

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  Deno.test(`HAProxy sends the requests of clients to any node: ${name}`, async () => {
    await using farm = await startFarm("HAProxy", undefined, withoutCookies);
    const { a, b } = farm.nodes;
    await until(() => [a, b].every(({ node }) => node.server.nodes.length === 2));
    const url = farm.balancer.url("/hub");
    await using clients = new AsyncDisposableStack();
    const members: SignalRClient[] = [];
    for (let client = 0; client < 6; client++) {
      const member = clients.use(await SignalRClient.connect(url, { transport }));
      await member.invoke("join", "all");
      members.push(member);
    }
    const large = "ü".repeat(15_000);
    for (const member of members) {
      // Its home stays the same, whichever node gets its requests.
      const home = await member.invoke("name");
      for (let n = 0; n < 10; n++) assertEquals(await member.invoke("name"), home);
      assertEquals(await member.invoke("echo", large), large);
    }
    for (const [n, sender] of members.entries()) {
      await sender.invoke("tell", "all", n);
      for (const member of members) assertEquals(await member.got.next(), [n]);
    }
    for (const member of members) assertEquals(member.events.all, []);
    const requests = [a.requests, b.requests];
    assert(Math.min(...requests) > Math.max(...requests) / 3, `not in turn: ${requests}`);
  });
}
