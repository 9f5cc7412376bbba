import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { Channels } from "../../../hub/bus/channels.ts";
import type { Recipient } from "../../../hub/bus/recipient.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { BackplaneUnavailableError } from "../../../mod.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const OPTIONS = { subscribeTimeout: 500, unsubscribeDelay: 100 };

function recipient(id: string): Recipient {
  return {
    id,
    protocol: "json",
    isClosed: false,
    write: () => false,
    untilWritable: () => undefined,
    unreadable: () => {},
  };
}

/** Channels on a bus in memory, with a clock that the test moves. */
function start(bus = new MemoryBus(), scheduler = new Scheduler()) {
  const backplane = new RecordingBackplane(new MemoryBackplane(bus));
  const clock = new ManualClock();
  const received: [id: string | undefined, bytes: number][] = [];
  const limitedLog = new LimitedLog(console, clock);
  const ignored = { requested() {}, confirmed() {}, closed() {} };
  const channels = new Channels({ backplane, clock, scheduler, limitedLog, options: OPTIONS }, {
    ...ignored,
    received: (payload, { audience: [recipient] }) =>
      received.push([recipient?.id, payload.length]),
  });
  return { bus, backplane, clock, channels, received };
}

Deno.test("Channels.join() subscribes with the first member; leave() gives up after the last", async () => {
  const { backplane, clock, channels } = start();
  const [ann, bob] = [recipient("ann"), recipient("bob")];
  const channel = channels.join("news", ann, {});
  await channel.joining;
  assertStrictEquals(channels.join("news", bob, {}), channel);
  assertEquals(channel.joining, undefined);
  assertEquals([...channels.audience("news")], [ann, bob]);
  channels.leave(channel, ann);
  channels.leave(channel, ann);
  channels.leave(channel, bob);
  clock.advance(99);
  channels.sweep();
  assertEquals(backplane.channels.has("news"), true);
  clock.advance(1);
  channels.sweep();
  assertEquals(backplane.channels.has("news"), false);
  assertEquals([...channels.audience("news")], []);
  await backplane.close();
});

Deno.test("Channels.join() after the last member left, but before the channel is given up, keeps it", async () => {
  const { backplane, clock, channels } = start();
  const ann = recipient("ann");
  const channel = channels.join("news", ann, {});
  await channel.joining;
  channels.leave(channel, ann);
  channels.join("news", ann, {});
  clock.advance(1000);
  channels.sweep();
  assertEquals(backplane.subscribes("news"), 1);
  assertEquals(backplane.channels.has("news"), true);
  await backplane.close();
});

Deno.test("Channels: a channel that is not confirmed in time is given up, and joined anew by the next", async () => {
  const { bus, backplane, clock, channels } = start();
  bus.stop();
  const ann = recipient("ann");
  const first = channels.join("news", ann, {});
  const joining = first.joining;
  clock.advance(500);
  await assertRejects(() => joining ?? Promise.resolve(), BackplaneUnavailableError, "500 ms");
  assertEquals(channels.get("news"), undefined);
  // The member of the channel that was given up leaves it without effect on the new one.
  const second = channels.join("news", ann, {});
  channels.leave(first, ann);
  assertEquals([...channels.audience("news")], [ann]);
  bus.start();
  await second.joining;
  assertEquals(backplane.channels.has("news"), true);
  await backplane.close();
});

Deno.test("Channels: a permanent channel stays wanted although it is not confirmed in time", async () => {
  const { bus, backplane, clock, channels, received } = start();
  bus.stop();
  const channel = channels.join("own", recipient("ann"), { permanent: true });
  const joining = channel.joining;
  clock.advance(500);
  await assertRejects(() => joining ?? Promise.resolve(), BackplaneUnavailableError);
  assertStrictEquals(channels.get("own"), channel);
  bus.start();
  await channel.subscription?.confirmed;
  const other = new MemoryBackplane(bus);
  await other.publish("own", new Uint8Array(3));
  assertEquals(received, [["ann", 3]]);
  await other.close();
  await backplane.close();
});

Deno.test("Channels.join() of a name that cannot be one throws each time, and leaves nothing behind", async () => {
  const { backplane, channels } = start();
  for (let time = 0; time < 2; time++) {
    assertThrows(() => channels.join("x".repeat(2000), recipient("ann"), {}), RangeError);
  }
  assertEquals(channels.get("x".repeat(2000)), undefined);
  await backplane.close();
});

Deno.test("Channels.sweep() gives up 256 channels a turn, and none that has a member again", async () => {
  const turns: (() => void)[] = [];
  const { backplane, clock, channels } = start(
    new MemoryBus(),
    new Scheduler({ now: () => 0, after: () => ({ [Symbol.dispose]: () => {} }) }, (endTurn) => {
      turns.push(endTurn);
    }),
  );
  const ann = recipient("ann");
  const names = Array.from({ length: 600 }, (_, number) => `news ${number}`);
  const joined = names.map((name) => channels.join(name, ann, {}));
  await Promise.all(joined.map(({ joining }) => joining));
  for (const channel of joined) channels.leave(channel, ann);
  clock.advance(100);
  channels.sweep();
  assertEquals(backplane.channels.size, 600 - 256);
  channels.join("news 599", ann, {});
  channels.sweep();
  assertEquals(backplane.channels.size, 600 - 256);
  for (const left of [600 - 512, 1]) {
    turns.pop()?.();
    await Promise.resolve();
    await Promise.resolve();
    assertEquals(backplane.channels.size, left);
  }
  assertEquals(backplane.channels.has("news 599"), true);
  await backplane.close();
});
