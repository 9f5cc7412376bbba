import { assert } from "@std/assert";
import { defineHub, type HubContext, MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { type Host, hostWithFetch, hostWithListen } from "../../kit/servers/hosts.ts";
import { bounded } from "../../kit/wait.ts";
import { Balancer, PROGRAMS } from "./balancer.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

/** A node that says its name; it is ready if its bus is there. */
async function startNode(name: string, bus: MemoryBus, host: Host) {
  let requests = 0;
  const began = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      name: (_context: Context) => name,
      echo: (_context: Context, value: unknown) => value,
      /** A long call: it ends when the test says so. */
      wait() {
        began.resolve();
        return waiting.promise;
      },
      async join({ groups, connectionId }: Context, group: string) {
        await groups.add(connectionId, group);
      },
      async tell({ clients }: Context, group: string, value: unknown) {
        await clients.group(group).send("got", value);
      },
    },
  });
  const backplane = new MemoryBackplane(bus, { logger: new KeptLog() });
  const node = await RunningNode.start({
    hubs: { "/hub": hub },
    backplane,
    health: { ready: "/readyz" },
    authenticate() {
      requests++;
      return undefined;
    },
  }, host);
  if (node.server.status === "open") await bounded(node.server.ready);
  return {
    node,
    began: began.promise,
    endWaits: waiting.resolve,
    /** How many requests to its hub it has got. */
    get requests() {
      return requests;
    },
  };
}

/**
 * Two nodes on one bus, behind different servers, and a balancer before them. The first node may have a
 * bus of its own. `edit` changes the example that configures the balancer.
 */
export async function startFarm(
  program: keyof typeof PROGRAMS,
  busOfFirst?: MemoryBus,
  edit?: (example: string) => string,
) {
  const bus = new MemoryBus();
  const nodes = {
    a: await startNode("a", busOfFirst ?? bus, hostWithFetch),
    b: await startNode("b", bus, hostWithListen),
  };
  const found = PROGRAMS[program];
  assert(found !== undefined, program);
  const balancer = await Balancer.start(found, [nodes.a.node.port, nodes.b.node.port], edit);
  return {
    nodes,
    balancer,
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await nodes.a.node[Symbol.asyncDispose]();
      await nodes.b.node[Symbol.asyncDispose]();
    },
  };
}
