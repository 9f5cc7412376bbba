import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { PROGRAMS } from "./balancer.ts";
import { startFarm } from "./farm.ts";

for (const program of Object.keys(PROGRAMS)) {
  for (const [name, transport] of Object.entries(TRANSPORTS)) {
    Deno.test(`${program} lets clients of a drained node go at once, though a call runs on: ${name}`, async () => {
      await using farm = await startFarm(program);
      await using clients = new AsyncDisposableStack();
      const url = farm.balancer.url("/hub");
      const connect = async () =>
        clients.use(
          await SignalRClient.connect(url, { transport, reconnectDelays: [0, 200, 1000, 5000] }),
        );
      const caller = await connect();
      const node = await caller.invoke("name");
      let other = await connect();
      for (let tries = 0; await other.invoke("name") !== node; tries++) {
        assert(tries < 40, "all clients are with the other node");
        other = await connect();
      }
      const drained = node === "a" ? farm.nodes.a : farm.nodes.b;
      const call = caller.invoke("wait");
      await bounded(drained.began);
      const drain = drained.node.server.drain({ timeout: 60_000 });

      assertEquals((await bounded(other.events.next())).kind, "reconnecting");
      // The third attempt would come after 1.2 s; a client that finds the way needs one or two.
      assertEquals((await bounded(other.events.next())).kind, "reconnected");
      assertNotEquals(await other.invoke("name"), node);
      await using newcomer = await SignalRClient.connect(url, { transport });
      assertNotEquals(await newcomer.invoke("name"), node);

      drained.endWaits();
      assertEquals(await bounded(call), null);
      await bounded(drain);
      assertEquals((await bounded(caller.events.next())).kind, "reconnecting");
      assertEquals((await bounded(caller.events.next())).kind, "reconnected");
      assertNotEquals(await caller.invoke("name"), node);
    });
  }
}
