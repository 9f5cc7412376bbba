import { assert, assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { createHubServer, defineHub, type ServerNodeEvent } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { bounded, Events } from "../../kit/wait.ts";

function serve(bus?: MemoryBus) {
  const logger = new KeptLog();
  const backplane = new RecordingBackplane(new MemoryBackplane(bus));
  backplane.heedsNodes = true;
  const hubs = { "/hub": defineHub({ methods: {} }) };
  const server = createHubServer({ hubs, backplane, logger });
  const events = new Events<ServerNodeEvent>();
  server.onNodes(events.add);
  return { backplane, server, logger, events };
}

Deno.test("HubServer.nodes and onNodes() show a node from its start to its goodbye", async () => {
  const bus = new MemoryBus();
  const one = serve(bus);
  assertEquals(one.server.nodes.map(({ state }) => state), ["starting"]);
  await one.server.ready;
  await endOfTurn();
  const two = serve(bus);
  await two.server.ready;
  const [own, other] = two.server.nodes;
  assert(own !== undefined && other !== undefined);
  assertEquals([own.state, other.state, own.connections], ["up", "up", 0]);
  assertEquals(other.name, one.server.nodes[0]?.name);
  await one.events.count(3);
  await two.server.drain();
  await one.events.count(4);
  await two.server.close();
  const states = ["starting", "up", "draining", "gone"] as const;
  await one.events.count(1 + states.length);
  const changes = one.events.all.filter(({ node }) => node === own.name);
  assertEquals(
    changes,
    states.map((state, index) => ({ node: own.name, state, before: states[index - 1] })),
  );
  assertEquals([...one.logger.lines, ...two.logger.lines], []);
  await one.server.close();
});

Deno.test("a server alone on a memory bus is ready at once, and publishes two messages", async () => {
  const { backplane, server } = serve();
  await bounded(server.ready);
  await server.close();
  assertEquals(backplane.publishedChannels, Array(2).fill("internal:hubplane:signs"));
});

Deno.test("HubServer.ready rejects, and nothing else happens, when the server is closed first", async () => {
  const bus = new MemoryBus();
  bus.stop();
  const { server } = serve(bus);
  await server.close();
  const error = await bounded(server.ready.catch((error) => error));
  assertEquals(error.name, "BackplaneClosedError");
});

Deno.test("a listener of HubServer.onNodes() that fails is logged and harms no other", async () => {
  const { server, logger, events } = serve();
  server.onNodes(() => {
    throw new Error("thrown");
  });
  server.onNodes(() => Promise.reject(new Error("rejected")));
  server.onNodes(() => assert(false))[Symbol.dispose]();
  await server.ready;
  await events.count(1);
  await logger.errors.count(2);
  assertEquals(logger.errors.all, ["onNodes failed:", "onNodes failed:"]);
  await server.close();
});
