import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { BackplaneClosedError, BackplaneError } from "../../../backplanes/errors.ts";
import { clearImmediate, setImmediate } from "node:timers";
import { ChannelSubscriptions } from "../../../backplanes/driver/subscriptions.ts";
import { HeldBus, ignore, isPending, online } from "./held_bus.ts";

Deno.test("ChannelSubscriptions lets no channel wait for another", async () => {
  const bus = await online();
  const slow = bus.subscriptions.subscribe("slow", ignore);
  const unanswered = await bus.command("+slow");
  const quick = bus.subscriptions.subscribe("quick", ignore);
  (await bus.command("+quick")).answer();
  await quick.confirmed;
  assertEquals(await isPending(slow.confirmed), true);
  unanswered.answer();
  await slow.confirmed;
});

Deno.test("ChannelSubscriptions has one command of a channel under way, and the last call wins", async () => {
  const bus = await online();
  const first = bus.subscriptions.subscribe("a", ignore);
  (await bus.command("+a")).answer();
  await first.confirmed;
  const leaving = first.unsubscribe();
  const leave = await bus.command("-a");
  // The leave cannot be taken back, and must not be overtaken.
  const second = bus.subscriptions.subscribe("a", ignore);
  assertEquals(await isPending(second.confirmed), true);
  assertEquals(bus.asked, ["+a", "-a"]);
  leave.answer();
  const join = await bus.command("+a");
  assertEquals(await isPending(second.confirmed), true);
  join.answer();
  await second.confirmed;
  const last = second.unsubscribe();
  (await bus.command("-a")).answer();
  await Promise.all([leaving, last]);
  assertEquals(bus.asked, ["+a", "-a", "+a", "-a"]);
});

Deno.test("ChannelSubscriptions logs a handler that throws, and one whose promise rejects", async () => {
  const bus = await online();
  const heard: string[] = [];
  const handlers: ((payload: Uint8Array) => void)[] = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
    () => void heard.push("heard"),
  ];
  for (const handler of handlers) bus.subscriptions.subscribe("a", handler);
  (await bus.command("+a")).answer();
  bus.subscriptions.dispatch("a", new Uint8Array());
  // A rejection that nobody caught would end the test by now.
  await delay(0);
  assertEquals(heard, ["heard"]);
  assertEquals(bus.logged, Array(2).fill('Backplane handler of channel "a" failed:'));
  bus.subscriptions.close(new BackplaneClosedError("closed"));
});

Deno.test("ChannelSubscriptions gives up a channel that was left before it was confirmed", async () => {
  const bus = await online();
  const join = bus.subscriptions.subscribe("late", ignore);
  const rejected = assertRejects(() => join.confirmed, BackplaneError, "it was unsubscribed");
  const command = await bus.command("+late");
  const leaving = join.unsubscribe();
  await rejected;
  command.answer();
  (await bus.command("-late")).answer();
  await leaving;
});

Deno.test("ChannelSubscriptions asks the bus for nothing that was left in the turn it was wanted", async () => {
  const bus = await online();
  await bus.subscriptions.subscribe("a", ignore).unsubscribe();
  await delay(0);
  assertEquals([bus.asked, bus.subscriptions.any], [[], false]);
});

Deno.test("ChannelSubscriptions confirms nothing by an answer of a connection that is gone", async () => {
  const bus = await online();
  const join = bus.subscriptions.subscribe("a", ignore);
  const stale = await bus.command("+a");
  bus.subscriptions.disconnected();
  const back = bus.subscriptions.connected();
  const again = await bus.command("+a");
  stale.answer();
  assertEquals(await isPending(join.confirmed), true);
  again.answer();
  await Promise.all([join.confirmed, back]);
});

Deno.test("ChannelSubscriptions.connected() resolves when every channel is confirmed again", async () => {
  const bus = await online();
  const joins = ["a", "b"].map((name) => bus.subscriptions.subscribe(name, ignore).confirmed);
  (await bus.command("+a,b")).answer();
  await Promise.all(joins);
  bus.subscriptions.disconnected();
  const back = bus.subscriptions.connected();
  const again = await bus.command("+a,b");
  assertEquals(await isPending(back), true);
  again.answer();
  await back;
});

Deno.test("ChannelSubscriptions asks for many channels in parts, each after the answer to the last", async () => {
  const bus = await online();
  const names = Array.from({ length: 600 }, (_, index) => `c${index}`);
  const parts = [names.slice(0, 256), names.slice(256, 512), names.slice(512)];
  const subscriptions = names.map((name) => bus.subscriptions.subscribe(name, ignore));
  for (const part of parts) {
    const command = await bus.command(`+${part}`);
    assertEquals(bus.asked.length, parts.indexOf(part) + 1);
    command.answer();
  }
  await Promise.all(subscriptions.map(({ confirmed }) => confirmed));
  const left = Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
  for (const part of parts) {
    const command = await bus.command(`-${part}`);
    assertEquals(bus.asked.length, parts.indexOf(part) + 4);
    command.answer();
  }
  await left;
});

Deno.test("ChannelSubscriptions: an unsubscribe() under way ends with its connection, although the channel is wanted again", async () => {
  const bus = await online();
  const subscription = bus.subscriptions.subscribe("a", ignore);
  (await bus.command("+a")).answer();
  await subscription.confirmed;
  const left = subscription.unsubscribe();
  await bus.command("-a");
  bus.subscriptions.subscribe("a", ignore);
  assertEquals(await isPending(left), true);
  bus.subscriptions.disconnected();
  await left;
});

Deno.test("ChannelSubscriptions bounds the bytes of a command, those of the prefix included", async () => {
  const bus = await online(new HeldBus(undefined, "x".repeat(10_000)));
  const names = Array.from({ length: 30 }, (_, index) => `ü${index}`);
  for (const name of names) bus.subscriptions.subscribe(name, ignore);
  // A code unit counts as three bytes: the 18th channel passes 512 KiB and is the last.
  (await bus.command(`+${names.slice(0, 18)}`)).answer();
  (await bus.command(`+${names.slice(18)}`)).answer();
});

Deno.test("ChannelSubscriptions lets the event loop turn while it walks, also on a bus that answers at once", async () => {
  let turn = 0;
  let ticking = setImmediate(function tick() {
    turn++;
    ticking = setImmediate(tick);
  });
  const asked: number[] = [];
  const count = (channels: readonly string[]) => {
    asked[turn] = (asked[turn] ?? 0) + channels.length;
    return Promise.resolve();
  };
  const subscriptions = new ChannelSubscriptions({ subscribe: count, unsubscribe: count }, console);
  const most = () => Math.max(...asked.map((number) => number ?? 0));
  await subscriptions.connected();
  const wanted = Array.from(
    { length: 5000 },
    (_, index) => subscriptions.subscribe(`${index}`, ignore),
  );
  await Promise.all(wanted.map(({ confirmed }) => confirmed));
  subscriptions.disconnected();
  await subscriptions.connected();
  await Promise.all(wanted.map((each) => each.unsubscribe()));
  clearImmediate(ticking);
  assertEquals(subscriptions.any, false);
  // Two parts may follow each other where one walk ends and the next one begins.
  assert(turn > 10 && most() <= 512, `${most()} channels in one of ${turn} turns`);
});

Deno.test("ChannelSubscriptions.disconnected() ends every unsubscribe() under way, and drops the channels", async () => {
  const bus = await online();
  const wanted = Array.from(
    { length: 600 },
    (_, index) => bus.subscriptions.subscribe(`c${index}`, ignore),
  );
  for (let parts = 0; parts < 3; parts++) (await bus.next()).answer();
  await Promise.all(wanted.map(({ confirmed }) => confirmed));
  const left = wanted.map((subscription) => subscription.unsubscribe());
  await bus.next();
  const again = bus.subscriptions.subscribe("c0", ignore);
  bus.subscriptions.disconnected();
  await Promise.all(left);
  bus.asked.length = 0;
  bus.subscriptions.connected();
  (await bus.command("+c0")).answer();
  await again.confirmed;
  assertEquals(bus.asked, ["+c0"]);
});
