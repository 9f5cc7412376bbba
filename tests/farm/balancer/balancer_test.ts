import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { defineHub, type HubContext, MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";
import { type Host, hostWithFetch, hostWithListen } from "../../kit/servers/hosts.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { Balancer, PROGRAMS } from "./balancer.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

/** A node that says its name. */
function startNode(name: string, bus: MemoryBus, host: Host) {
  const hub = defineHub({
    methods: {
      name: (_context: Context) => name,
      echo: (_context: Context, value: unknown) => value,
      async join({ groups, connectionId }: Context, group: string) {
        await groups.add(connectionId, group);
      },
      async tell({ clients }: Context, group: string, value: unknown) {
        await clients.group(group).send("got", value);
      },
    },
  });
  return RunningNode.start({ hubs: { "/hub": hub }, backplane: new MemoryBackplane(bus) }, host);
}

/** Two nodes on one bus, behind different servers, and a balancer before them. */
async function startFarm(program: keyof typeof PROGRAMS) {
  const bus = new MemoryBus();
  const nodes = {
    a: await startNode("a", bus, hostWithFetch),
    b: await startNode("b", bus, hostWithListen),
  };
  const found = PROGRAMS[program];
  assert(found !== undefined, program);
  const balancer = await Balancer.start(found, [nodes.a.port, nodes.b.port]);
  return {
    nodes,
    balancer,
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await nodes.a[Symbol.asyncDispose]();
      await nodes.b[Symbol.asyncDispose]();
    },
  };
}

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
      const stopped = node === "a" ? farm.nodes.a : farm.nodes.b;
      await bounded(stopped[Symbol.asyncDispose]());
      assertEquals((await client.events.next()).kind, "reconnecting");
      assertEquals((await client.events.next()).kind, "reconnected");
      assertNotEquals(client.id, id);
      assertNotEquals(await client.invoke("name"), node);
    });
  }
}
