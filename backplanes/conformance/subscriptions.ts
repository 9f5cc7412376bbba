/** Cases on subscribing and leaving. */
import type { BackplaneSubscription } from "../backplane.ts";
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, same, within } from "./assert.ts";

export const subscriptionCases: readonly ConformanceCase[] = defineCases({
  async "of two handlers on a channel one leaves and the other stays"(trial) {
    const [sender, receiver] = await trial.pair();
    const [leaver, stayer] = [trial.inbox(), trial.inbox()];
    const subscription = receiver.subscribe("two", leaver.handler);
    await subscription.confirmed;
    await receiver.subscribe("two", stayer.handler).confirmed;
    await sender.publish("two", bytes("both"));
    await Promise.all([leaver.heard("both"), stayer.heard("both")]);
    await within(subscription.unsubscribe(), "unsubscribe() resolves");
    await sender.publish("two", bytes("one"));
    await sender.publish("two", bytes("marker"));
    await stayer.heard("marker");
    same(leaver.texts, ["both"], "the messages of the handler that left");
    same(stayer.texts, ["both", "one", "marker"], "the messages of the other");
  },
  async "unsubscribe() is idempotent"(trial) {
    const [sender, receiver] = await trial.pair();
    const [leaver, stayer] = [trial.inbox(), trial.inbox()];
    const subscription = receiver.subscribe("twice", leaver.handler);
    await subscription.confirmed;
    await receiver.subscribe("twice", stayer.handler).confirmed;
    await within(
      Promise.all([subscription.unsubscribe(), subscription.unsubscribe()]),
      "two calls of unsubscribe() resolve",
    );
    await subscription.unsubscribe();
    await subscription[Symbol.asyncDispose]();
    await sender.publish("twice", bytes("marker"));
    await stayer.heard("marker");
    same(leaver.texts, [], "the messages of the handler that left");
  },
  async "unsubscribe() detaches its handler before it returns"(trial) {
    const [sender, receiver] = await trial.pair();
    const [leaver, stayer] = [trial.inbox(), trial.inbox()];
    const leaving: Promise<void>[] = [];
    // The first handler detaches itself and the one behind it, while a message is being delivered.
    const first = receiver.subscribe("now", (payload) => {
      leaver.handler(payload);
      leaving.push(first.unsubscribe(), second.unsubscribe());
    });
    await first.confirmed;
    const second = receiver.subscribe("now", leaver.handler);
    await second.confirmed;
    await receiver.subscribe("now", stayer.handler).confirmed;
    const sent = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(sent.map((text) => sender.publish("now", bytes(text))));
    await stayer.counted(100);
    same(leaver.texts, ["0"], "the messages of the detached handlers");
    await within(Promise.all(leaving), "unsubscribe() resolves");
  },
  async "a channel that was left is silent"(trial) {
    const [sender, receiver] = await trial.pair();
    const [before, after] = [trial.inbox(), trial.inbox()];
    const subscription = receiver.subscribe("left", before.handler);
    await subscription.confirmed;
    await sender.publish("left", bytes("heard"));
    await before.heard("heard");
    await within(subscription.unsubscribe(), "unsubscribe() resolves");
    const reached = await sender.publish("left", bytes("unheard"));
    check(reached === 0 || reached === undefined, `publish() says that it reached ${reached}`);
    await receiver.subscribe("left", after.handler).confirmed;
    await sender.publish("left", bytes("marker"));
    await after.heard("marker");
    same(before.texts, ["heard"], "the messages of the handler that left");
  },
  async "a channel can be subscribed to again and again"(trial) {
    const [sender, receiver] = await trial.pair();
    const inbox = trial.inbox();
    for (let round = 0; round < 20; round++) {
      const subscription = receiver.subscribe("again", inbox.handler);
      await within(subscription.confirmed, `the channel is confirmed in round ${round}`);
      await sender.publish("again", bytes(`${round}`));
      await inbox.heard(`${round}`);
      // Every second round does not wait, so that the next subscribe() overtakes it.
      const left = subscription.unsubscribe();
      if (round % 2 === 0) await left;
    }
    same(
      inbox.texts,
      Array.from({ length: 20 }, (_, round) => `${round}`),
      "the messages that arrived",
    );
  },
  async "1,000 concurrent subscribe() and unsubscribe() of one channel end in the last state"(
    trial,
  ) {
    const [sender, receiver] = await trial.pair();
    const inboxes = Array.from({ length: 1000 }, () => trial.inbox());
    const joined: BackplaneSubscription[] = [];
    const leaving: Promise<void>[] = [];
    for (const [index, { handler }] of inboxes.entries()) {
      const subscription = receiver.subscribe("busy", handler);
      joined.push(subscription);
      if (index === 999) break;
      // Every second subscription leaves before it is confirmed.
      leaving.push(
        index % 2 === 0
          ? subscription.unsubscribe()
          : subscription.confirmed.then(() => subscription.unsubscribe()),
      );
      // Uneven pauses let commands overtake each other in many ways.
      for (let turn = index % 4; turn > 0; turn--) await Promise.resolve();
      if (index % 97 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    const final = joined.at(-1);
    await within(Promise.all([final?.confirmed, ...leaving]), "1,000 calls settle");
    await sender.publish("busy", bytes("marker"));
    const last = inboxes.at(-1);
    await last?.heard("marker");
    const heard = inboxes.flatMap(({ texts }, index) => texts.length > 0 ? [index] : []);
    same(heard, [999], "the handlers that heard the marker");
    if (final !== undefined) await within(final.unsubscribe(), "the last unsubscribe() resolves");
    const reached = await sender.publish("busy", bytes("nobody"));
    check(reached === 0 || reached === undefined, `publish() says that it reached ${reached}`);
    await receiver.subscribe("busy", trial.inbox().handler).confirmed;
    same(last?.texts, ["marker"], "the messages of the last handler");
  },
  async "500 channels subscribed to at once all work"(trial) {
    const [sender, receiver] = await trial.pair();
    const inboxes = Array.from({ length: 500 }, () => trial.inbox());
    await within(
      Promise.all(
        inboxes.map(({ handler }, index) => receiver.subscribe(`c${index}`, handler).confirmed),
      ),
      "500 channels are confirmed",
    );
    await Promise.all(inboxes.map((_, index) => sender.publish(`c${index}`, bytes(`${index}`))));
    for (const [index, inbox] of inboxes.entries()) {
      await inbox.heard(`${index}`);
      same(inbox.texts, [`${index}`], `the messages that arrived on channel ${index}`);
    }
  },
  async "a handler that throws is logged and harms nobody"(trial) {
    const [sender, receiver] = await trial.pair();
    const [same1, same2, other] = [trial.inbox(), trial.inbox(), trial.inbox()];
    await receiver.subscribe("throws", same1.handler).confirmed;
    await receiver.subscribe("throws", () => {
      throw new Error("thrown by a handler of the conformance suite");
    }).confirmed;
    await receiver.subscribe("throws", same2.handler).confirmed;
    await receiver.subscribe("calm", other.handler).confirmed;
    for (const text of ["1", "2"]) {
      await sender.publish("throws", bytes(text));
      await Promise.all([same1.heard(text), same2.heard(text)]);
    }
    await sender.publish("calm", bytes("marker"));
    await other.heard("marker");
    same(same2.texts, ["1", "2"], "the messages of the handler behind it");
    check(
      trial.logged.length >= 2,
      `the error was logged ${trial.logged.length} times, not 2 times`,
    );
  },
  async "`await using` unsubscribes"(trial) {
    const [sender, receiver] = await trial.pair();
    const [inner, outer] = [trial.inbox(), trial.inbox()];
    await receiver.subscribe("scope", outer.handler).confirmed;
    {
      await using subscription = receiver.subscribe("scope", inner.handler);
      await subscription.confirmed;
      await sender.publish("scope", bytes("inside"));
      await inner.heard("inside");
    }
    await sender.publish("scope", bytes("outside"));
    await outer.heard("outside");
    same(inner.texts, ["inside"], "the messages of the disposed subscription");
  },
});
