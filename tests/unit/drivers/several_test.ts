import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Backplane, BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { StatusSource } from "../../../backplanes/driver/status.ts";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../../backplanes/errors.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { Beginning } from "../../../backplanes/several/beginning.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { bytes, Inbox } from "../../kit/wait.ts";

/** Two buses; `pair` is on both, and `peers` has one backplane on each. */
class TwoBuses implements AsyncDisposable {
  readonly buses: readonly [MemoryBus, MemoryBus] = [new MemoryBus(), new MemoryBus()];
  readonly parts: readonly [RecordingBackplane, RecordingBackplane];
  readonly peers: readonly [MemoryBackplane, MemoryBackplane];
  readonly pair: SeveralBackplanes;
  readonly log = new KeptLog();
  readonly events: BackplaneStatusEvent[] = [];
  /** The statuses of the events, `+` where one has a gap. */
  readonly told: string[] = [];

  constructor() {
    const [one, two] = this.buses;
    // Only the pair logs here.
    const options = { logger: new KeptLog() };
    this.parts = [
      new RecordingBackplane(new MemoryBackplane(one, options)),
      new RecordingBackplane(new MemoryBackplane(two, options)),
    ];
    this.peers = [new MemoryBackplane(one, options), new MemoryBackplane(two, options)];
    this.pair = new SeveralBackplanes(this.parts, { logger: this.log });
    this.pair.onStatus((event) => {
      this.events.push(event);
      this.told.push(event.gap === undefined ? event.status : `${event.status}+`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const backplane of [this.pair, ...this.peers]) await backplane.close();
  }
}

/** Whether `promise` is pending when the turn is over. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  await endOfTurn();
  return pending;
}

Deno.test("SeveralBackplanes is open while one bus is, and reports a gap only of both", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.buses;
  one.stop();
  one.start();
  await endOfTurn();
  // More nodes may be there.
  assertEquals([two.pair.status, two.told.splice(0)], ["open", ["open"]]);
  one.stop();
  other.stop();
  assertEquals(two.told.splice(0), ["reconnecting"]);
  other.start();
  await endOfTurn();
  assertEquals(two.told.splice(0), ["open+"]);
  one.start();
  await endOfTurn();
  assertEquals(two.told.splice(0), ["open"]);
  assertEquals(two.log.lines, []);
});

Deno.test("SeveralBackplanes reports a gap from the loss of the second bus until the first is back", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.buses;
  one.stop();
  const before = Date.now();
  other.stop();
  const down = Date.now();
  other.start();
  await endOfTurn();
  const up = Date.now();
  const [, { gap } = {}] = two.events;
  const { since = NaN, until = NaN } = gap ?? {};
  // A gap has whole milliseconds, and may begin a little earlier.
  assertEquals(
    [before - 10 <= since, since <= down, down <= until, until <= up],
    Array(4).fill(true),
  );
});

Deno.test("publish() reaches those on either bus, also while the other is away", async () => {
  await using two = new TwoBuses();
  const inboxes = [new Inbox(), new Inbox()];
  for (const [index, peer] of two.peers.entries()) {
    await peer.subscribe("news", inboxes[index]!.receive).confirmed;
  }
  await two.pair.publish("news", bytes("both"));
  two.buses[0].stop();
  await two.pair.publish("news", bytes("second"));
  two.buses[1].stop();
  await assertRejects(() => two.pair.publish("news", bytes("?")), BackplaneUnavailableError);
  two.buses[0].start();
  await endOfTurn();
  await two.pair.publish("news", bytes("first"));
  assertEquals(inboxes.map(({ all }) => all), [["both", "first"], ["both", "second"]]);
  assertEquals(two.log.lines, []);
});

Deno.test("a handler hears each bus, and nothing after unsubscribe()", async () => {
  await using two = new TwoBuses();
  const inbox = new Inbox();
  const subscription = two.pair.subscribe("news", inbox.receive);
  await subscription.confirmed;
  for (const [index, peer] of two.peers.entries()) await peer.publish("news", bytes(`${index}`));
  await subscription.unsubscribe();
  for (const peer of two.peers) assertEquals(await peer.publish("news", bytes("late")), 0);
  assertEquals(inbox.all, ["0", "1"]);
});

Deno.test("publish() resolves with the first bus that accepts", async () => {
  await using two = new TwoBuses();
  const gate = Promise.withResolvers<void>();
  two.parts[0].beforeAccepted = () => gate.promise;
  assertEquals(await two.pair.publish("news", bytes("?")), undefined);
  gate.resolve();
});

Deno.test("a counted publish() resolves with 0 only if every open bus counts nobody", async () => {
  await using two = new TwoBuses();
  const publish = () => two.pair.publish("news", bytes("?"), true);
  assertEquals(await publish(), 0);
  const subscription = two.peers[1].subscribe("news", () => {});
  await subscription.confirmed;
  assertEquals(await publish(), 1);
  // The first bus cannot count; then nobody knows.
  two.parts[0].counts = false;
  assertEquals(await publish(), 1);
  await subscription.unsubscribe();
  assertEquals(await publish(), undefined);
  // It is away, and cannot have reached anybody.
  two.buses[0].stop();
  assertEquals(await publish(), 0);
});

Deno.test("a counted publish() resolves with undefined if a bus failed while it was open", async () => {
  await using two = new TwoBuses();
  two.parts[0].refusesPublish = () => new BackplaneUnavailableError("no answer");
  assertEquals(await two.pair.publish("news", bytes("?"), true), undefined);
});

Deno.test("publish() logs an open bus that refuses once a minute, if another one accepts", async () => {
  await using two = new TwoBuses();
  two.parts[0].refusesPublish = () => new RangeError("too large");
  for (let round = 0; round < 3; round++) await two.pair.publish("news", bytes("?"));
  await endOfTurn();
  assertEquals(two.log.lines, [
    "warn One of several buses did not take a message: RangeError: too large",
  ]);
});

Deno.test("publish() rejects with the error of a bus that may come back, else with the reason", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.parts;
  const publish = () => two.pair.publish("news", bytes("?"));
  const [unavailable, away, tooLarge, closed] = [
    new BackplaneUnavailableError("no answer"),
    new BackplaneUnavailableError("away", { handedOver: false }),
    new RangeError("too large"),
    new BackplaneClosedError("closed"),
  ];
  const cases = [
    [tooLarge, unavailable, unavailable],
    // The message may arrive.
    [away, unavailable, unavailable],
    [tooLarge, away, away],
    [unavailable, closed, unavailable],
    [closed, tooLarge, tooLarge],
    [closed, closed, closed],
  ] as const;
  for (const [first, second, expected] of cases) {
    one.refusesPublish = () => first;
    other.refusesPublish = () => second;
    assertStrictEquals(await publish().catch((error) => error), expected);
  }
  one.publish = () => {
    throw "thrown";
  };
  await assertRejects(publish, BackplaneError, "thrown");
  await assertRejects(() => two.pair.publish("", bytes("?")), RangeError);
  assertEquals(two.log.lines, []);
});

Deno.test("`confirmed` waits for every bus that is open, and for no other", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.parts;
  two.buses[1].stop();
  await two.pair.subscribe("early", () => {}).confirmed;
  two.buses[1].start();
  await endOfTurn();
  const gate = Promise.withResolvers<void>();
  other.beforeSubscribe = () => gate.promise;
  const { confirmed } = two.pair.subscribe("news", () => {});
  assertEquals(await isPending(confirmed), true);
  assertEquals(one.channels.has("news"), true);
  gate.resolve();
  await confirmed;
  // A bus that goes away is no longer waited for.
  const never = Promise.withResolvers<void>();
  other.beforeSubscribe = () => never.promise;
  const second = two.pair.subscribe("more", () => {}).confirmed;
  assertEquals(await isPending(second), true);
  two.buses[1].stop();
  await second;
});

Deno.test("`confirmed` waits while no bus is open", async () => {
  await using two = new TwoBuses();
  for (const bus of two.buses) bus.stop();
  const subscription = two.pair.subscribe("news", () => {});
  assertEquals(await isPending(subscription.confirmed), true);
  two.buses[1].start();
  await subscription.confirmed;
});

Deno.test("`confirmed` rejects when a bus refuses, when it is unsubscribed and when all is closed", async () => {
  await using two = new TwoBuses();
  two.parts[1].beforeSubscribe = () => Promise.reject(new BackplaneError("forbidden"));
  const refused = two.pair.subscribe("refused", () => {});
  await assertRejects(() => refused.confirmed, BackplaneError, "forbidden");
  for (const bus of two.buses) bus.stop();
  const left = two.pair.subscribe("left", () => {});
  const waiting = left.confirmed;
  await left.unsubscribe();
  for (const confirmed of [waiting, left.confirmed]) {
    await assertRejects(
      () => confirmed,
      BackplaneError,
      'subscribe to "left": it was unsubscribed',
    );
  }
  const closing = two.pair.subscribe("closing", () => {});
  const { confirmed } = closing;
  await two.pair.close();
  await assertRejects(() => confirmed, BackplaneClosedError);
  await assertRejects(() => closing.confirmed, BackplaneClosedError);
});

Deno.test("5,000 confirmations that wait settle when a bus is back", async () => {
  await using two = new TwoBuses();
  for (const bus of two.buses) bus.stop();
  const subscriptions = Array.from(
    { length: 5000 },
    (_, index) => two.pair.subscribe(`${index}`, () => {}),
  );
  const confirmed = Promise.all(subscriptions.map((subscription) => subscription.confirmed));
  for (const bus of two.buses) bus.start();
  await confirmed;
});

Deno.test("subscribe() leaves nothing behind when a driver throws", async () => {
  await using two = new TwoBuses();
  two.parts[1].subscribe = () => {
    throw new RangeError("too long");
  };
  assertThrows(() => two.pair.subscribe("news", () => {}), RangeError, "too long");
  await endOfTurn();
  assertEquals(two.parts[0].wanted.size, 0);
});

/** A backplane whose status the test sets. */
class ScriptedBackplane extends RecordingBackplane {
  readonly source = new StatusSource("connecting", new KeptLog());
  probe: number | undefined;
  override get status() {
    return this.source.status;
  }
  override onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.source.onStatus(listener);
  }
}

Deno.test("SeveralBackplanes is connecting until each bus is open or known to be away", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  const events: BackplaneStatusEvent[] = [];
  pair.onStatus((event) => events.push(event));
  const { confirmed } = pair.subscribe("news", () => {});
  one.source.emit({ status: "open" });
  assertEquals([pair.status, events], ["connecting", []]);
  assertEquals(await isPending(confirmed), true);
  other.source.emit({ status: "connecting", error: new Error("connection refused") });
  await confirmed;
  other.source.emit({ status: "open" });
  assertEquals(events, [{ status: "open" }, { status: "open" }]);
});

Deno.test("Beginning ends when no bus is awaited any more, or after its patience", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = new Beginning(["open", "connecting"], resolve, 1);
  assertEquals(late.isOver, false);
  await promise;
  assertEquals(late.isOver, true);
  const beginning = new Beginning(["connecting", "connecting"], resolve);
  beginning.heard(0, { status: "connecting" });
  beginning.heard(1, { status: "closed" });
  assertEquals(beginning.isOver, false);
  beginning.heard(0, { status: "open" });
  assertEquals(beginning.isOver, true);
});

Deno.test("SeveralBackplanes goes on without a bus that is closed, and closes with the last", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  const events: BackplaneStatusEvent[] = [];
  pair.onStatus((event) => events.push(event));
  const { confirmed } = pair.subscribe("news", () => {});
  confirmed.catch(() => {});
  one.source.emit({ status: "closed", error: new Error("wrong password") });
  assertEquals(pair.status, "connecting");
  const refused = new Error("no such user");
  other.source.emit({ status: "closed", error: refused });
  assertEquals(events.map(({ status, error }) => [status, error?.message]), [
    ["connecting", "wrong password"],
    ["closed", "no such user"],
  ]);
  const { cause } = await assertRejects(() => confirmed, BackplaneClosedError, "no such user");
  assertStrictEquals(cause, refused);
  await assertRejects(() => pair.publish("news", bytes("?")), BackplaneClosedError, "no such user");
});

Deno.test("SeveralBackplanes.probe is that of the open bus that answers soonest", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  assertEquals(pair.probe, undefined);
  one.probe = 7;
  other.probe = 3;
  assertEquals(pair.probe, 3);
  one.source.emit({ status: "open" });
  assertEquals(pair.probe, 7);
  other.source.emit({ status: "open" });
  assertEquals(pair.probe, 3);
});

Deno.test("SeveralBackplanes refuses one backplane, five, one twice and unknown options", async () => {
  const parts: Backplane[] = Array.from({ length: 5 }, () => new MemoryBackplane());
  const [one] = parts as [Backplane];
  assertThrows(() => new SeveralBackplanes([one]), TypeError, "1 are not 2 to 4");
  assertThrows(() => new SeveralBackplanes(parts), TypeError, "5 are not 2 to 4");
  assertThrows(() => new SeveralBackplanes([one, one]), TypeError, "one is given twice");
  const options = { loger: console } as object;
  assertThrows(() => new SeveralBackplanes(parts.slice(2), options), TypeError, '"loger"');
  for (const part of parts) await part.close();
});
