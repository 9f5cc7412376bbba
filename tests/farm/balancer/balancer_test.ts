import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { delay } from "@std/async";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { PROGRAMS } from "./balancer.ts";
import { startFarm } from "./farm.ts";

for (const program of Object.keys(PROGRAMS)) {
  for (const [name, transport] of Object.entries(TRANSPORTS)) {
    Deno.test(`${program} keeps clients with their nodes: ${name}`, async () => {
      await using farm = await startFarm(program);
      const url = farm.balancer.url("/hub");
      await using clients = new AsyncDisposableStack();
      const members: SignalRClient[] = [];
      const seen = new Set<unknown>();
      while (seen.size < 2 || members.length < 4) {
        assert(members.length < 40, `all clients are with one node: ${[...seen]}`);
        // A node that answered a check too late, because the machine is busy, gets nobody for some seconds.
        if (members.length >= 8) await delay(500);
        const member = clients.use(await SignalRClient.connect(url, { transport }));
        seen.add(await member.invoke("name"));
        await member.invoke("join", "all");
        members.push(member);
      }
      const large = "ü".repeat(15_000);
      for (const member of members) {
        const node = await member.invoke("name");
        for (let n = 0; n < 10; n++) assertEquals(await member.invoke("name"), node);
        assertEquals(await member.invoke("echo", large), large);
      }
      for (const [n, sender] of members.entries()) {
        await sender.invoke("tell", "all", n);
        for (const member of members) assertEquals(await member.got.next(), [n]);
      }
    });

    Deno.test(`${program} lets clients come back to the other node: ${name}`, async () => {
      await using farm = await startFarm(program);
      await using client = await SignalRClient.connect(farm.balancer.url("/hub"), {
        transport,
        reconnectDelays: [0, 100, 300, 1000, 1000, 1000],
      });
      const node = await client.invoke("name");
      const { id } = client;
      const stopped = (node === "a" ? farm.nodes.a : farm.nodes.b).node;
      await bounded(stopped[Symbol.asyncDispose]());
      assertEquals((await client.events.next()).kind, "reconnecting");
      assertEquals((await client.events.next()).kind, "reconnected");
      assertNotEquals(client.id, id);
      assertNotEquals(await client.invoke("name"), node);
    });
  }
}
