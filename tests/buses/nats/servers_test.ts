import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { NatsServers } from "../../../backplanes/nats/servers.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import { bounded, bytes, Inbox, nextEvent, randomPrefix, untilStatus } from "../../kit/wait.ts";

Deno.test("NatsBackplane goes to another server when its own is killed", async () => {
  await using one = await startNats();
  await using other = await startNats();
  const prefix = randomPrefix("");
  const url = `nats://127.0.0.1:${one.port}?prefix=${prefix}`;
  const options = { servers: [`127.0.0.1:${other.port}`] };
  await using publisher = new NatsBackplane(url, options);
  await using subscriber = new NatsBackplane(url, options);
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  // Two servers that know nothing of each other: once one is gone, both sides meet on the other.
  for (const [gone, text] of [[one, "on the other"], [other, "on the one"]] as const) {
    await gone.stop();
    await untilHeard(publisher, inbox, text);
    await gone.start();
  }
});

Deno.test("NatsBackplane takes several servers from its URL, and the first that answers", async () => {
  await using server = await startNats();
  await using backplane = new NatsBackplane(`nats://127.0.0.1:1,127.0.0.1:${server.port}`);
  await bounded(backplane.subscribe("a", () => {}).confirmed);
  assertEquals(backplane.status, "open");
});

Deno.test("NatsBackplane carries messages between the servers of a cluster", async () => {
  const route = `nats://127.0.0.1:${freePort()}`;
  const name = ["--cluster_name", "c", "--cluster"];
  await using one = await startNats({ args: [...name, route] });
  await using other = await startNats({
    args: [...name, "nats://127.0.0.1:-1", "--routes", route],
  });
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(`nats://127.0.0.1:${one.port}?prefix=${prefix}`);
  await using subscriber = new NatsBackplane(`nats://127.0.0.1:${other.port}?prefix=${prefix}`);
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  // The servers find each other, and learn of a subscription, in their own time.
  await untilHeard(publisher, inbox, "hello");
  // The server of the publisher counts subscribers of the other server too.
  const counts = ["a", "nobody"].map((channel) => publisher.publish(channel, bytes("?"), true));
  assertEquals(await bounded(Promise.all(counts)), [undefined, 0]);
});

Deno.test("NatsBackplane keeps trying a server that is full", async () => {
  const config = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(config, "max_connections: 1\n");
  await using server = await startNats({ args: ["--config", config] });
  const url = `nats://127.0.0.1:${server.port}`;
  const first = new NatsBackplane(url);
  await untilStatus(first, "open");
  await using second = new NatsBackplane(url);
  await nextEvent(second, ({ error }) => /maximum connections/.test(error?.message ?? ""));
  assertEquals(second.status, "connecting");
  const open = untilStatus(second, "open");
  await first.close();
  await open;
  await Deno.remove(config);
});

Deno.test("NatsServers.next() gives every server its turn", () => {
  const servers = ["a", "b", "c"].map((host) => ({ host, port: 1 }));
  const [first, ...rest] = servers;
  if (first === undefined) throw new Error("no server");
  const turns = new NatsServers([first, ...rest]);
  assertEquals(new Set([turns.next(), turns.next(), turns.next()]), new Set(servers));
});

/** Publishes again and again until it arrives: both sides may still be on their way. */
async function untilHeard(publisher: NatsBackplane, inbox: Inbox, text: string): Promise<void> {
  const give = performance.now() + 20_000;
  while (!inbox.all.includes(text)) {
    if (performance.now() > give) throw new Error(`Not heard: ${text}`);
    await publisher.publish("a", bytes(text)).catch(() => {});
    await delay(10);
  }
}
