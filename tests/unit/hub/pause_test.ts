/**
 * A node that stood still has not read what its clients sent meanwhile: it blames nobody for that time.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MemoryBackplane } from "../../../backplanes/memory.ts";
import { Link } from "../../../hub/connection/link.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { AwakeClock } from "../../../hub/scheduling/awake_clock.ts";
import { steadyDate } from "../../../hub/clock.ts";
import { NodeCluster } from "../../../hub/cluster/cluster.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { StatusReports } from "../../../hub/serving/status_reports.ts";
import { LiveHub } from "../../../hub/serving/live_hub.ts";
import { defineHub, type HubClients } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

const OPTIONS = {
  handshakeTimeout: 5000,
  clientTimeoutInterval: 5000,
  disconnectTimeout: 5000,
  transportSendTimeout: 5000,
  statefulReconnectBufferSize: 1000,
};

/** A node with a heartbeat a second, whose process can be stopped. */
function start() {
  const real = new ManualClock();
  const clock = new AwakeClock(real, 1000);
  const backplane = new MemoryBackplane();
  const logger = new KeptLog();
  const limitedLog = new LimitedLog(logger, clock);
  const node = { serverName: "node", backplane, clock, scheduler: new Scheduler(), limitedLog };
  const date = steadyDate(clock);
  const hub = new LiveHub(defineHub({ methods: {} }), "hub", {
    ...{ ...node, logger, cluster: new NodeCluster({ ...node, clock: real, date }, () => 0) },
    ...{ time: real, gaps: new StatusReports({ backplane, time: real, logger }, undefined).gaps },
    options: resolveOptions({ logger, ...OPTIONS }),
  });
  clock.every(1000, () => hub.tick());
  const connect = async (id: string, version?: number) => {
    const pipe = new MemoryPipe();
    const request = { url: "http://localhost/hub", headers: new Headers() };
    const from = { id, user: undefined, request, stateful: version === 2 };
    const connection = hub.connect(pipe, from);
    pipe.attach(new Link(pipe, connection));
    if (version !== undefined) pipe.send({ protocol: "json", version });
    await settle();
    return { pipe, connection };
  };
  const clients = hub.clients as unknown as HubClients<{ got(value: unknown): void }>;
  const open = () => [...hub.connections].filter(({ isClosed }) => !isClosed).map(({ id }) => id);
  return {
    ...{ real, connect, clients, open },
    async [Symbol.asyncDispose]() {
      const all = [...hub.connections];
      for (const connection of all) connection.close({});
      await Promise.all(all.map(({ finished }) => finished));
      hub.close();
      await backplane.close();
    },
  };
}

for (const pause of [2000, 4000, 60_000]) {
  Deno.test(`no deadline of a connection counts ${pause} ms in which the node stood still`, async () => {
    await using node = start();
    const { real, connect, clients, open } = node;
    const greeting = await connect("greeting");
    const pinging = await connect("pinging", 1);
    const lost = await connect("lost", 2);
    const stuck = await connect("stuck", 1);
    const keeping = await connect("keeping", 2);
    pinging.pipe.send({ type: 6 });
    clients.client("keeping").send("got", "x".repeat(2000));
    stuck.pipe.stuck = true;
    clients.client("stuck").send("got", 1);
    await settle();
    lost.pipe.cut();
    const everybody = open();
    // Nearly all of everybody's time is over, and the next heartbeat is near.
    real.advance(3900);
    real.stop(pause);
    assertEquals(open(), everybody);
    // What the sockets held is read before the next heartbeat.
    greeting.pipe.send({ protocol: "json", version: 1 });
    pinging.pipe.send({ type: 6 });
    keeping.pipe.send({ type: 8, sequenceId: 1 });
    stuck.pipe.bufferedBytes = 0;
    new MemoryPipe().returnTo(lost.connection);
    real.advance(4000);
    assertEquals(open(), everybody);
    // Whoever does nothing has no more time than usual.
    real.advance(3000);
    assertEquals(open().includes("pinging"), false);
  });
}

Deno.test("a node that stood still judges nobody before it has read what its sockets hold", async () => {
  await using node = start();
  const { pipe } = await node.connect("c", 1);
  pipe.send({ type: 6 });
  // The pings of a slow client: the last came 4.5 s ago, the next while the node stands still.
  node.real.advance(4500);
  node.real.stop(900);
  assertEquals(node.open(), ["c"]);
  pipe.send({ type: 6 });
  node.real.advance(4000);
  assertEquals(node.open(), ["c"]);
});
