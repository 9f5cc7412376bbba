import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { BackplaneError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { ScriptedServer } from "./scripted_server.ts";
import { bounded, bytes, Inbox, nextEvent, randomPrefix, untilStatus } from "../../kit/wait.ts";

/** Runs `test` with a server of this configuration. */
async function withServer(
  configuration: string,
  test: (server: ServerProcess, file: string) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "hubplane-", suffix: ".conf" });
  try {
    await Deno.writeTextFile(file, configuration);
    await using server = await startNats({ args: ["--config", file] });
    await test(server, file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("subscribe() rejects above the server's max_subscriptions, and every confirmed channel hears", async () => {
  await withServer("max_subscriptions: 25\n", async (server) => {
    const prefix = randomPrefix("");
    await using publisher = new NatsBackplane(natsUrl(server, prefix));
    await using backplane = new NatsBackplane(natsUrl(server, prefix));
    await untilStatus(publisher, "open");
    await untilStatus(backplane, "open");
    const statuses: string[] = [];
    backplane.onStatus(({ status }) => statuses.push(status));
    const inbox = new Inbox();
    const join = (channel: string) => backplane.subscribe(channel, inbox.receive).confirmed;
    // Twenty one by one, then more than the server takes together, then more one by one.
    const names = Array.from({ length: 60 }, (_, index) => `${index}`);
    const outcomes: PromiseSettledResult<void>[] = [];
    for (const name of names.slice(0, 20)) outcomes.push(...await Promise.allSettled([join(name)]));
    outcomes.push(...await bounded(Promise.allSettled(names.slice(20, 50).map(join))));
    for (const name of names.slice(50)) outcomes.push(...await Promise.allSettled([join(name)]));
    const confirmed = names.filter((_, index) => outcomes[index]?.status === "fulfilled");
    assertEquals(confirmed.length, 25);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      assert(outcome.reason instanceof BackplaneError, `${outcome.reason}`);
      assertMatch(String(outcome.reason.cause), /maximum subscriptions exceeded/);
    }
    await bounded(Promise.all(names.map((name) => publisher.publish(name, bytes(name)))));
    await inbox.count(25);
    assertEquals(inbox.all.toSorted(), confirmed.toSorted());
    assertEquals([backplane.status, statuses], ["open", []]);
  });
});

Deno.test("subscribe() gives up what a refused command had subscribed", async () => {
  await withServer("max_subscriptions: 3\n", async (server) => {
    await using backplane = new NatsBackplane(natsUrl(server, randomPrefix("")));
    await untilStatus(backplane, "open");
    const subscriptions = ["a", "b", "c", "d"].map((name) => backplane.subscribe(name, () => {}));
    await bounded(Promise.allSettled(subscriptions.map(({ confirmed }) => confirmed)));
    await bounded(Promise.all(subscriptions.map((subscription) => subscription.unsubscribe())));
    // No subscription of those before is left at the server.
    const others = ["e", "f", "g"].map((name) => backplane.subscribe(name, () => {}).confirmed);
    await bounded(Promise.all(others));
    await assertRejects(
      () => bounded(backplane.subscribe("h", () => {}).confirmed),
      BackplaneError,
    );
  });
});

Deno.test("NatsBackplane reports a gap when a payload is over the server's lowered limit, and says why", async () => {
  await withServer("max_payload: 2000\n", async (server, file) => {
    await using backplane = new NatsBackplane(natsUrl(server, randomPrefix("")));
    await bounded(backplane.subscribe("a", () => {}).confirmed);
    await Deno.writeTextFile(file, "max_payload: 1000\n");
    Deno.kill(server.pid, "SIGHUP");
    const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
    const publish = () => backplane.publish("a", new Uint8Array(1500));
    // The server does not announce the new limit, and ends connections that exceed it.
    const error = await assertRejects(async () => {
      for (;;) await bounded(publish());
    }, BackplaneUnavailableError);
    assertMatch(error.message, /Lost the connection to NATS: 'Maximum Payload Violation'/);
    assertEquals((await back).status, "open");
    await assertRejects(publish, RangeError, "1500 bytes are more than the 1000");
  });
});

for (const text of ["User Authentication Expired", "Stale Connection", "Some New Error"]) {
  Deno.test(`NatsBackplane makes a new connection when a server says "${text}"`, async () => {
    using server = new ScriptedServer();
    await using backplane = new NatsBackplane(`nats://127.0.0.1:${server.port}`);
    await bounded(backplane.subscribe("a", () => {}).confirmed);
    const lost = nextEvent(backplane, ({ status }) => status === "reconnecting");
    const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
    await server.say(`-ERR '${text}'\r\n`);
    assertMatch((await lost).error?.message ?? "", new RegExp(text));
    assertEquals((await back).status, "open");
  });
}
