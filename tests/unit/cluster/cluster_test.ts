import { assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { createHubServer, defineHub } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { KeptLog } from "../../kit/log.ts";
import { until } from "../../kit/wait.ts";

function serve(bus?: MemoryBus) {
  const backplane = new RecordingBackplane(new MemoryBackplane(bus));
  const logger = new KeptLog();
  const server = createHubServer({
    hubs: { "/hub": defineHub({ methods: {} }) },
    backplane,
    logger,
  });
  return { backplane, server, logger };
}

Deno.test("servers on one bus know each other when they are ready", async () => {
  const bus = new MemoryBus();
  const one = serve(bus);
  await one.server.ready;
  const two = serve(bus);
  await two.server.ready;
  await until(() => one.server.nodes[1]?.state === "up");
  await until(() => two.server.nodes[1]?.state === "up");
  await two.server.close();
  assertEquals(one.server.nodes[1]?.state, "gone");
  assertEquals([...one.logger.lines, ...two.logger.lines], []);
  await one.server.close();
});

Deno.test("a server that is alone is ready at once, and publishes two messages", async () => {
  const { backplane, server } = serve();
  await server.ready;
  assertEquals(server.nodes.map(({ state }) => state), ["up"]);
  await server.close();
  assertEquals(backplane.published.length, 2);
});
