import { assert, assertEquals } from "@std/assert";
import { createHubServer, defineHub, openBackplane, type ServerHealth } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { bounded, randomPrefix, until } from "../../kit/wait.ts";

/** A server on a real bus, whose probes are quick. */
async function openServer(url: string) {
  const logger = new KeptLog();
  const options = { logger, probeInterval: 20 };
  const server = createHubServer({
    hubs: { "/hub": defineHub({ methods: {} }) },
    backplane: await openBackplane(url, options),
    logger,
    health: { live: "/healthz", ready: "/readyz" },
  });
  const asked = async (path: string) => {
    const response = await server.fetch(new Request(`http://localhost${path}`));
    await response.body?.cancel();
    return response.status;
  };
  /** Waits for a state, and looks at the answers then. */
  const untilState = async (state: ServerHealth["state"], live: number, ready: number) => {
    await until(() => server.health().state === state);
    assertEquals([await asked("/healthz"), await asked("/readyz")], [live, ready], state);
    return server.health();
  };
  return { server, untilState };
}

Deno.test("HubServer.health() is degraded and ready while Redis is away, never starting again", async () => {
  await using redis = await startRedis();
  const { server, untilState } = await openServer(redisUrl(redis, randomPrefix()));
  await using _server = server;
  await bounded(server.ready);
  const before = Date.now();
  const up = await untilState("up", 200, 200);
  const { status, since, probe, gaps } = up.backplane;
  assertEquals([up.ready, status, gaps, up.connections], [true, "open", 0, 0]);
  assert(since <= before && typeof probe === "number" && probe >= 0, Deno.inspect(up));
  for (let outage = 1; outage <= 2; outage++) {
    const killed = Date.now();
    await redis.stop();
    const away = await untilState("degraded", 200, 200);
    assertEquals([away.ready, away.backplane.status], [true, "reconnecting"]);
    assert(away.backplane.since >= killed && away.backplane.since <= Date.now());
    assertEquals(away.backplane.gaps, outage - 1);
    // The last answer before the outage.
    assertEquals(typeof away.backplane.probe, "number");
    await redis.start();
    const back = await untilState("up", 200, 200);
    await until(() => server.health().backplane.gaps === outage);
    assert(back.backplane.since > away.backplane.since);
  }
  const drained = server.drain();
  await untilState("draining", 200, 503);
  await drained;
  await server.close();
  assertEquals((await untilState("closed", 503, 503)).backplane.status, "closed");
});

Deno.test("HubServer.health() is starting until Redis has been there once", async () => {
  await using redis = await startRedis({ running: false });
  const { server, untilState } = await openServer(redisUrl(redis, randomPrefix()));
  await using _server = server;
  const { backplane } = await untilState("starting", 200, 503);
  assertEquals([backplane.status, backplane.probe], ["connecting", null]);
  await redis.start();
  await bounded(server.ready);
  assertEquals((await untilState("up", 200, 200)).backplane.gaps, 0);
});

Deno.test("HubServer.health() counts the nodes that live", async () => {
  await using redis = await startRedis();
  const url = redisUrl(redis, randomPrefix());
  const { server } = await openServer(url);
  await using _server = server;
  await bounded(server.ready);
  assertEquals(server.health().nodes, 1);
  const { server: other } = await openServer(url);
  await using _other = other;
  await bounded(other.ready);
  assertEquals(other.health().nodes, 2);
  await until(() => server.health().nodes === 2);
  await redis.stop();
  await until(() => server.health().state === "degraded");
  assertEquals(server.health().nodes, 2);
  await redis.start();
  await until(() => [server, other].every((node) => node.health().state === "up"));
  await other.close();
  await until(() => server.health().nodes === 1);
});

Deno.test("HubServer.health() stays starting when Redis refuses the password", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "secret"] });
  const { server, untilState } = await openServer(`redis://:wrong@127.0.0.1:${redis.port}`);
  await using _server = server;
  await bounded(server.ready.catch(() => {}));
  assertEquals((await untilState("starting", 200, 503)).backplane.status, "closed");
});

Deno.test("HubServer.health() tells of the PING of NATS", async () => {
  await using nats = await startNats();
  const { server, untilState } = await openServer(`nats://127.0.0.1:${nats.port}`);
  await using _server = server;
  await bounded(server.ready);
  await until(() => typeof server.health().backplane.probe === "number");
  await nats.stop();
  const away = await untilState("degraded", 200, 200);
  assertEquals(typeof away.backplane.probe, "number");
  await nats.start();
  await untilState("up", 200, 200);
  await until(() => server.health().backplane.gaps === 1);
});
