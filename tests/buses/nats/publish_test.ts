import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { KeptLog } from "../../kit/log.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { bounded, bytes, Inbox, randomPrefix, untilStatus } from "../../kit/wait.ts";
import { ScriptedServer } from "./scripted_server.ts";

Deno.test("publish() refuses a payload above the server's limit before it is sent", async () => {
  const config = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(config, "max_payload: 1000\n");
  await using server = await startNats({ args: ["--config", config] });
  await using publisher = new NatsBackplane(natsUrl(server, "p."));
  await using subscriber = new NatsBackplane(natsUrl(server, "p."));
  const sizes: number[] = [];
  await bounded(subscriber.subscribe("a", ({ length }) => void sizes.push(length)).confirmed);
  await untilStatus(publisher, "open");
  await assertRejects(
    () => publisher.publish("a", new Uint8Array(1001)),
    RangeError,
    "1001 bytes are more than the 1000",
  );
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("end", inbox.receive).confirmed);
  await publisher.publish("a", new Uint8Array(1000));
  await publisher.publish("end", bytes("end"));
  await inbox.count(1);
  assertEquals(sizes, [1000]);
  assertEquals(publisher.status, "open");
  await Deno.remove(config);
});

Deno.test("publish() resolves with undefined, for one or for many on a channel", async () => {
  await using server = await startNats();
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(natsUrl(server, prefix));
  await using subscriber = new NatsBackplane(natsUrl(server, prefix));
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  const texts = Array.from({ length: 100 }, (_, number) => `${number}`);
  const results = await bounded(
    Promise.all(texts.map((text) => publisher.publish("a", bytes(text)))),
  );
  assertEquals(new Set(results), new Set([undefined]));
  await inbox.count(100);
  assertEquals(inbox.all, texts);
});

Deno.test("publish() of counted messages resolves with 0 where nobody is subscribed, and only there", async () => {
  await using server = await startNats();
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(natsUrl(server, prefix));
  await using subscriber = new NatsBackplane(natsUrl(server, prefix));
  const inbox = new Inbox();
  const subscription = subscriber.subscribe("heard", inbox.receive);
  await bounded(subscription.confirmed);
  // A server does not send a node its own messages back.
  await bounded(publisher.subscribe("own", () => {}).confirmed);
  const publish = (channel: string, counted?: boolean) =>
    publisher.publish(channel, bytes(channel), counted);
  const counts = (...channels: string[]) =>
    bounded(Promise.all(channels.map((channel) => publish(channel, true))));
  assertEquals(await counts("nobody"), [0]);
  assertEquals(await counts("heard"), [undefined]);
  assertEquals(await counts("own", "heard", "nobody", "own", "heard", "nobody"), [
    ...[0, undefined, 0, 0, undefined, 0],
  ]);
  assertEquals(await bounded(Promise.all([publish("nobody", true), publish("nobody")])), [
    ...[0, undefined],
  ]);
  await bounded(subscription.unsubscribe());
  assertEquals(await counts("heard"), [0]);
  assertEquals(inbox.all, ["heard", "heard", "heard"]);
});

Deno.test("publish() of counted messages resolves with undefined where the inbox is refused", async () => {
  const file = await Deno.makeTempFile({ suffix: ".conf" });
  const permissions = `permissions: { publish: ">", subscribe: "p.>" }`;
  const authorization = `authorization { users = [{ user: ann, password: a, ${permissions} }] }`;
  for (const configuration of [authorization, "max_subscriptions: 1\n"]) {
    await Deno.writeTextFile(file, configuration);
    await using server = await startNats({ args: ["--config", file] });
    const url = `nats://ann:a@127.0.0.1:${server.port}?prefix=p`;
    const log = new KeptLog();
    await using backplane = new NatsBackplane(url, { logger: log });
    await bounded(backplane.subscribe("a", () => {}).confirmed);
    const statuses: string[] = [];
    backplane.onStatus(({ status }) => statuses.push(status));
    for (let time = 0; time < 3; time++) {
      const counts = ["a", "nobody"].map((name) => backplane.publish(name, bytes(name), true));
      assertEquals(await bounded(Promise.all(counts)), [undefined, undefined]);
    }
    assertEquals([backplane.status, statuses, log.lines], ["open", [], []]);
  }
  await Deno.remove(file);
});

Deno.test("publish() of counted messages resolves with undefined where the server has no headers", async () => {
  using server = new ScriptedServer();
  await using backplane = new NatsBackplane(`nats://127.0.0.1:${server.port}`);
  await untilStatus(backplane, "open");
  assertEquals(await bounded(backplane.publish("a", bytes("x"), true)), undefined);
  assertMatch(server.received, /\r\nPUB a 1\r\nx\r\n/);
  assertEquals(server.received.includes("_INBOX"), false);
});

Deno.test("publish() rejects at once while the server is away, and nothing of it arrives later", async () => {
  await using server = await startNats();
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(natsUrl(server, prefix));
  await using subscriber = new NatsBackplane(natsUrl(server, prefix));
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  const away = untilStatus(publisher, "reconnecting");
  await server.stop();
  await away;
  const began = performance.now();
  await assertRejects(() => publisher.publish("a", bytes("away")), BackplaneUnavailableError);
  assertEquals(performance.now() - began < 100, true);
  const open = Promise.all([
    untilStatus(publisher, "open"),
    untilStatus(subscriber, "reconnecting"),
  ]);
  await server.start();
  await open;
  await untilStatus(subscriber, "open");
  await publisher.publish("a", bytes("back"));
  await inbox.count(1);
  assertEquals(inbox.all, ["back"]);
});

Deno.test("publish() rejects after publishTimeout when the server hangs", async () => {
  await using server = await startNats();
  await using backplane = new NatsBackplane(natsUrl(server, randomPrefix("")), {
    publishTimeout: 100,
  });
  await untilStatus(backplane, "open");
  server.pause();
  const began = performance.now();
  const all = [1, 2, 3].map(() => backplane.publish("a", bytes("a")));
  for (const one of all) {
    await assertRejects(() => bounded(one), BackplaneUnavailableError, "within 100 ms");
  }
  const took = performance.now() - began;
  assertEquals([took >= 95, took < 1000], [true, true], `${took} ms`);
  server.resume();
  await bounded(backplane.publish("a", bytes("a")));
});
