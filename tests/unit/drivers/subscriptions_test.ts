import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import type { BackplaneGap } from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneError } from "../../../backplanes/errors.ts";
import { clearImmediate, setImmediate } from "node:timers";
import { until } from "../../kit/wait.ts";
import { ChannelSubscriptions } from "../../../backplanes/driver/subscriptions.ts";

/** A command that the bus has not answered. */
interface Command {
  readonly text: string;
  answer(): void;
  refuse(error: Error): void;
}

/** Subscriptions on a bus that answers when a test tells it to. */
class HeldBus {
  /** What was asked, as `+a,b` or `-a,b`. */
  readonly asked: string[] = [];
  /** The gaps that were reported for refused channels. */
  readonly gaps: BackplaneGap[] = [];
  readonly logged: string[] = [];
  readonly subscriptions: ChannelSubscriptions;
  readonly #commands: Command[] = [];

  constructor(retryDelay?: number, prefix = "prefix:") {
    this.subscriptions = new ChannelSubscriptions(
      {
        fullName: (channel) => prefix + channel,
        subscribe: (channels) => this.#ask(`+${channels.join()}`),
        unsubscribe: (channels) => this.#ask(`-${channels.join()}`),
        missed: (gap) => void this.gaps.push(gap),
      },
      { error: (...all) => void this.logged.push(String(all[0])), warn() {} },
      retryDelay,
    );
  }

  /** The oldest unanswered command, which must be `text`. */
  async command(text: string): Promise<Command> {
    // The next part follows at the end of the turn in which the answer came.
    for (let turns = 0; turns < 3; turns++) await delay(0);
    const index = this.#commands.findIndex((command) => command.text === text);
    const [command] = this.#commands.splice(index, index === -1 ? 0 : 1);
    if (command === undefined) throw new Error(`${text} is not among ${this.asked}`);
    return command;
  }

  /** Whether every command was answered or refused. */
  get idle(): boolean {
    return this.#commands.length === 0;
  }

  /** The oldest unanswered command. */
  async next(): Promise<Command> {
    await until(() => !this.idle);
    const command = this.#commands.shift();
    if (command === undefined) throw new Error("Cannot answer: no command was given");
    return command;
  }

  /** Refuses each command with a channel that is `refused`, and answers the others, until it is `over`. */
  async refuseAll(refused: (channel: string) => boolean, over: () => boolean): Promise<void> {
    const last = performance.now() + 10_000;
    while (!over()) {
      if (performance.now() > last) throw new Error(`Cannot go on: ${over} does not hold`);
      for (const command of this.#commands.splice(0)) {
        if (command.text.slice(1).split(",").some(refused)) command.refuse(new Error("forbidden"));
        else command.answer();
      }
      await delay(0);
    }
  }

  #ask(text: string): Promise<void> {
    this.asked.push(text);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#commands.push({ text, answer: resolve, refuse: reject });
    return promise;
  }
}

async function online(bus = new HeldBus()): Promise<HeldBus> {
  await bus.subscriptions.connected();
  return bus;
}

/** Whether `promise` is still pending. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => false), delay(5).then(() => true)]);
}

const ignore = () => {};

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
