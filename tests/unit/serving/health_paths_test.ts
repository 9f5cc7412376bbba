import { assertEquals } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubServerOptions,
  MemoryBackplane,
  MemoryBus,
  type ServerHealth,
} from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { bounded, until, untilStatus } from "../../kit/wait.ts";

const health = { live: "/healthz", ready: "/readyz" };

/** A server whose bus a test stops and starts, with gates that no request of a balancer may reach. */
function openServer(options: HubServerOptions & { running?: boolean } = {}) {
  const { running = true, ...rest } = options;
  const bus = new MemoryBus();
  if (!running) bus.stop();
  const logger = new KeptLog();
  const backplane = new MemoryBackplane(bus, { logger });
  const passed: string[] = [];
  const gaps: number[] = [];
  const server = createHubServer({
    hubs: { "/chat": defineHub({ methods: {} }), "/news": defineHub({ methods: {} }) },
    backplane,
    logger,
    health,
    cors: { origins: ["https://app.example"] },
    authenticate({ url }) {
      passed.push(url);
      return undefined;
    },
    authorize: () => false,
    // The application looks while it is told.
    onGap: () => void gaps.push(server.health().backplane.gaps),
    ...rest,
  });
  const ask = async (path: string, init?: RequestInit) => {
    const response = await server.fetch(new Request(`http://localhost${path}`, init));
    const text = await response.text();
    return { status: response.status, health: text && JSON.parse(text) as ServerHealth };
  };
  const both = async () => [(await ask("/healthz")).status, (await ask("/readyz")).status];
  return { server, bus, backplane, passed, gaps, ask, both, logger };
}

Deno.test("HubServer.health() is that of the whole life of a node", async () => {
  const { server, bus, backplane, gaps, ask, both } = openServer({ running: false });
  assertEquals(server.health().state, "starting");
  assertEquals(await both(), [200, 503]);
  bus.start();
  await bounded(server.ready);
  // Whoever has waited for `ready` finds the node up.
  assertEquals(server.health().state, "up");
  assertEquals(await both(), [200, 200]);
  bus.stop();
  assertEquals(server.health().state, "degraded");
  assertEquals(await both(), [200, 200]);
  bus.start();
  await untilStatus(backplane, "open");
  await until(() => gaps.length > 0);
  assertEquals([server.health().state, server.health().backplane.gaps, gaps], ["up", 1, [1]]);
  const drained = server.drain();
  assertEquals(server.health().state, "draining");
  assertEquals(await both(), [200, 503]);
  await drained;
  assertEquals(await both(), [200, 503]);
  const closed = server.close();
  assertEquals(server.health().state, "closed");
  assertEquals(await both(), [503, 503]);
  await closed;
  assertEquals(await both(), [503, 503]);
  assertEquals((await ask("/readyz")).health, { ...server.health() });
});

Deno.test("HubServer.health() of a node that never reached its bus is starting until it is closed", async () => {
  const { server, both } = openServer({ running: false });
  await endOfTurn();
  assertEquals(server.health().backplane.status, "connecting");
  await server.drain();
  assertEquals(server.health().state, "draining");
  await server.close();
  assertEquals(server.health().state, "closed");
  await server.ready.catch(() => {});
  assertEquals(await both(), [503, 503]);
});

Deno.test("HubServer.health() has the state that listeners of onNodes are told", async () => {
  const { server } = openServer();
  await using _server = server;
  const { name } = server.nodes[0] ?? {};
  const seen: string[] = [];
  using _listener = server.onNodes(({ node, state }) => {
    if (node === name) seen.push(`${state} ${server.health().state}`);
  });
  await bounded(server.ready);
  await server.drain();
  assertEquals(seen, ["up up", "draining draining"]);
});

Deno.test("fetch() answers the paths of health before authentication, policies, CORS and hubs", async () => {
  const { server, passed, ask, logger } = openServer();
  await using _server = server;
  await bounded(server.ready);
  const preflight = {
    "origin": "https://app.example",
    "access-control-request-method": "POST",
  };
  assertEquals((await ask("/healthz")).health, server.health());
  assertEquals((await ask("/readyz?full=1", { method: "HEAD" })).status, 200);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assertEquals((await ask("/readyz", { method, headers: preflight })).status, 405, method);
  }
  const upgrade = { connection: "upgrade", upgrade: "websocket" };
  assertEquals((await ask("/readyz?id=1", { headers: upgrade })).status, 200);
  const request = new Request("http://localhost/readyz", { headers: preflight });
  const answer = await server.fetch(request);
  assertEquals(answer.headers.has("access-control-allow-origin"), false);
  assertEquals([passed, logger.lines], [[], []]);
  assertEquals((await ask("/chat/negotiate", { method: "POST" })).status, 401);
  assertEquals(passed.length, 1);
});

Deno.test("fetch() leaves the paths of health to others where the option is not given", async () => {
  const { server, both } = openServer({ health: {} });
  await using _server = server;
  assertEquals(await both(), [404, 404]);
});

Deno.test("fetch() answers the paths of health as they are given, without basePath", async () => {
  const { server, ask } = openServer({
    basePath: "/app",
    health: { live: "/healthz", ready: "/app/readyz" },
  });
  await using _server = server;
  await bounded(server.ready);
  assertEquals((await ask("/healthz")).status, 200);
  assertEquals((await ask("/app/readyz")).status, 200);
  for (const path of ["/app/healthz", "/readyz"]) assertEquals((await ask(path)).status, 404, path);
});
