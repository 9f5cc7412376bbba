/**
 * Channels that the bus refuses: the others of the command, the log, the gap, and when they are asked
 * for again.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { BackplaneClosedError, BackplaneError } from "../../../backplanes/errors.ts";
import { HeldBus, ignore, isPending, online } from "./held_bus.ts";

Deno.test("ChannelSubscriptions keeps the other channels of a command that the bus refuses for one", async () => {
  const bus = await online();
  const heard: string[] = [];
  const [good, bad] = ["good", "bad"].map((name) =>
    bus.subscriptions.subscribe(name, () => void heard.push(name))
  );
  const refused = assertRejects(async () => await bad?.confirmed, BackplaneError, '"prefix:bad"');
  (await bus.command("+good,bad")).refuse(new Error("one of them is forbidden"));
  (await bus.command("+good")).answer();
  (await bus.command("+bad")).refuse(new Error("forbidden"));
  await refused;
  await good?.confirmed;
  bus.subscriptions.dispatch("good", new Uint8Array());
  assertEquals(heard, ["good"]);
  // The caller was told.
  assertEquals(bus.logged, []);
  bus.subscriptions.close(new BackplaneClosedError("closed"));
});

Deno.test("ChannelSubscriptions logs a refusal that nobody waits for once, and asks again at a reconnect", async () => {
  const bus = await online();
  const subscription = bus.subscriptions.subscribe("a", ignore);
  for (let connection = 0; connection < 3; connection++) {
    (await bus.command("+a")).refuse(new Error("forbidden"));
    await delay(0);
    await assertRejects(() => subscription.confirmed, BackplaneError, "refused it");
    bus.subscriptions.disconnected();
    // A new connection may not refuse.
    assertEquals(await isPending(subscription.confirmed), true);
    bus.subscriptions.connected();
  }
  assertEquals(bus.logged.length, 1);
  (await bus.command("+a")).answer();
  await subscription.confirmed;
  const [gap] = bus.gaps;
  assert(gap !== undefined && gap.since <= gap.until);
  assertEquals(bus.gaps.length, 1);
});

Deno.test("ChannelSubscriptions names a refused channel as the bus does", async () => {
  const bus = await online();
  const waiting = bus.subscriptions.subscribe("a", ignore).confirmed;
  bus.subscriptions.subscribe("b", ignore);
  (await bus.command("+a,b")).refuse(new Error("forbidden"));
  (await bus.command("+a")).refuse(new Error("forbidden"));
  (await bus.command("+b")).refuse(new Error("forbidden"));
  await assertRejects(() => waiting, BackplaneError, '"prefix:a": the bus refused it');
  assertEquals(bus.logged, [
    'Cannot subscribe to "prefix:b": the bus refused it. It is asked for again until it is confirmed:',
  ]);
  bus.subscriptions.close(new BackplaneClosedError("closed"));
});

Deno.test("ChannelSubscriptions asks again for a refused channel without a reconnect", async () => {
  const bus = await online(new HeldBus(20));
  const subscription = bus.subscriptions.subscribe("a", ignore);
  (await bus.command("+a")).refuse(new Error("forbidden"));
  await assertRejects(() => subscription.confirmed, BackplaneError);
  while (bus.asked.length < 2) await delay(5);
  (await bus.command("+a")).answer();
  await delay(0);
  await subscription.confirmed;
});

Deno.test("ChannelSubscriptions asks soon again for a channel that is refused after another was confirmed", async () => {
  const bus = await online(new HeldBus(40));
  const refused = async (name: string) => {
    await delay(0);
    const start = performance.now();
    while (!bus.asked.includes(`+${name}`)) await delay(1);
    (await bus.command(`+${name}`)).refuse(new Error("no"));
    return performance.now() - start;
  };
  bus.subscriptions.subscribe("a", ignore);
  await refused("a");
  for (let pauses = 0; pauses < 2; pauses++) {
    bus.asked.length = 0;
    await refused("a");
  }
  // The next pause would be 160 ms.
  bus.asked.length = 0;
  while (!bus.asked.includes("+a")) await delay(1);
  (await bus.command("+a")).answer();
  bus.subscriptions.subscribe("b", ignore);
  await refused("b");
  bus.asked.length = 0;
  const waited = await refused("b");
  assert(waited < 300, `waited ${waited} ms`);
  bus.subscriptions.close(new BackplaneClosedError("closed"));
});

Deno.test("ChannelSubscriptions finds one refused channel among many with few commands", async () => {
  const bus = await online();
  const wanted = Array.from(
    { length: 256 },
    (_, index) => bus.subscriptions.subscribe(`c${index}`, ignore),
  );
  let count = 0;
  const settled = Promise.allSettled(
    wanted.map(({ confirmed }) => confirmed.finally(() => count++)),
  );
  await bus.refuseAll((channel) => channel === "c77", () => count === 256);
  const outcomes = await settled;
  assertEquals(outcomes.flatMap(({ status }, index) => status === "rejected" ? index : []), [77]);
  // The command, and two for each time that it is halved.
  assert(bus.asked.length <= 1 + 2 * 8, `${bus.asked.length} commands`);
  bus.subscriptions.close(new BackplaneClosedError("closed"));
});

Deno.test("ChannelSubscriptions logs one entry for many refused channels, and reports one gap for them", async () => {
  const bus = await online(new HeldBus(500));
  const wanted = Array.from(
    { length: 200 },
    (_, index) => bus.subscriptions.subscribe(`c${index}`, ignore),
  );
  // Each half is asked for, down to the single channels.
  await bus.refuseAll(() => true, () => bus.asked.length >= 399 && bus.idle);
  assertEquals(bus.logged.length, 1);
  await bus.refuseAll(() => false, () => bus.gaps.length > 0);
  await Promise.all(wanted.map(({ confirmed }) => confirmed));
  assertEquals([bus.logged.length, bus.gaps.length, bus.asked.length], [1, 1, 400]);
});
