import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BackplaneClosedError, BackplaneError } from "../../../backplanes/errors.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { isPending, TwoBuses } from "./two_buses.ts";

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
