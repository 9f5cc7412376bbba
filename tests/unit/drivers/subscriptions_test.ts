import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { BackplaneError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
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
  readonly subscriptions: ChannelSubscriptions;
  readonly #commands: Command[] = [];

  constructor(subscribeTimeout = 60_000) {
    this.subscriptions = new ChannelSubscriptions({
      subscribe: (channels) => this.#ask(`+${channels.join()}`),
      unsubscribe: (channels) => this.#ask(`-${channels.join()}`),
    }, { subscribeTimeout, logger: { error() {}, warn() {} } });
  }

  /** The oldest unanswered command, which must be `text`. */
  async command(text: string): Promise<Command> {
    await delay(0);
    const index = this.#commands.findIndex((command) => command.text === text);
    const [command] = this.#commands.splice(index, index === -1 ? 0 : 1);
    if (command === undefined) throw new Error(`${text} is not among ${this.asked}`);
    return command;
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
  await quick;
  assertEquals(await isPending(slow), true);
  unanswered.answer();
  await slow;
});

Deno.test("ChannelSubscriptions has one command of a channel under way, and the last call wins", async () => {
  const bus = await online();
  const first = bus.subscriptions.subscribe("a", ignore);
  (await bus.command("+a")).answer();
  const leaving = (await first).unsubscribe();
  const leave = await bus.command("-a");
  // The leave cannot be taken back, and must not be overtaken.
  const second = bus.subscriptions.subscribe("a", ignore);
  assertEquals(await isPending(second), true);
  assertEquals(bus.asked, ["+a", "-a"]);
  leave.answer();
  const join = await bus.command("+a");
  assertEquals(await isPending(second), true);
  join.answer();
  const last = (await second).unsubscribe();
  (await bus.command("-a")).answer();
  await Promise.all([leaving, last]);
  assertEquals(bus.asked, ["+a", "-a", "+a", "-a"]);
});

Deno.test("ChannelSubscriptions takes nobody for a subscriber whom the bus refused, and harms no other", async () => {
  const bus = await online();
  const heard: string[] = [];
  const joins = ["good", "bad"].map((name) =>
    bus.subscriptions.subscribe(name, () => void heard.push(name))
  );
  const refused = assertRejects(() => joins[1] ?? Promise.resolve(), BackplaneError, '"bad"');
  (await bus.command("+good,bad")).refuse(new Error("one of them is forbidden"));
  (await bus.command("+good")).answer();
  (await bus.command("+bad")).refuse(new Error("forbidden"));
  await refused;
  await joins[0];
  for (const name of ["good", "bad"]) bus.subscriptions.handlers.deliver(name, new Uint8Array());
  assertEquals(heard, ["good"]);
});

Deno.test("ChannelSubscriptions withdraws what is not confirmed in time, also from the bus", async () => {
  const bus = await online(new HeldBus(20));
  const join = bus.subscriptions.subscribe("late", ignore);
  const rejected = assertRejects(() => join, BackplaneUnavailableError, "within 20 ms");
  const command = await bus.command("+late");
  await rejected;
  command.answer();
  (await bus.command("-late")).answer();
});

Deno.test("ChannelSubscriptions confirms nothing by an answer of a connection that is gone", async () => {
  const bus = await online();
  const join = bus.subscriptions.subscribe("a", ignore);
  const stale = await bus.command("+a");
  bus.subscriptions.disconnected();
  const back = bus.subscriptions.connected();
  const again = await bus.command("+a");
  stale.answer();
  assertEquals(await isPending(join), true);
  again.answer();
  await Promise.all([join, back]);
});

Deno.test("ChannelSubscriptions.connected() resolves when every channel is confirmed again", async () => {
  const bus = await online();
  const joins = ["a", "b"].map((name) => bus.subscriptions.subscribe(name, ignore));
  (await bus.command("+a,b")).answer();
  await Promise.all(joins);
  bus.subscriptions.disconnected();
  const back = bus.subscriptions.connected();
  const again = await bus.command("+a,b");
  assertEquals(await isPending(back), true);
  again.answer();
  await back;
});
