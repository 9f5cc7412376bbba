import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../../backplanes/errors.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { bytes, Inbox } from "../../kit/wait.ts";
import { TwoBuses } from "./two_buses.ts";

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
