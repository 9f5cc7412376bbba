import { assertEquals, assertRejects } from "@std/assert";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { bounded, bytes, Inbox, randomPrefix, untilStatus } from "../../kit/wait_for.ts";

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
  const prefix = randomPrefix();
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
  assertEquals(inbox.texts, texts);
});

Deno.test("publish() rejects at once while the server is away, and nothing of it arrives later", async () => {
  await using server = await startNats();
  const prefix = randomPrefix();
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
  assertEquals(inbox.texts, ["back"]);
});

Deno.test("publish() rejects after publishTimeout when the server hangs", async () => {
  await using server = await startNats();
  await using backplane = new NatsBackplane(natsUrl(server, randomPrefix()), {
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
