/** Cases on a bus that goes down and comes back. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { Ledger } from "./ledger.ts";
import { checkSequence } from "./status.ts";
import { setDateBack } from "./date.ts";
import { bytes, check, pause, refusal, rejection, ROUNDS, same, within } from "./assert.ts";
import { reachesAgain } from "./trial.ts";
import { BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "../errors.ts";

export const restartCases: readonly ConformanceCase[] = defineCases({
  async "subscriptions survive a restart of the bus"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    const [kept, left] = [trial.inbox(), trial.inbox()];
    await receiver.subscribe("kept", kept.handler).confirmed;
    const leaver = receiver.subscribe("left", left.handler);
    await leaver.confirmed;
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    await within(leaver.unsubscribe(), "unsubscribe() while the bus is down resolves");
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    await sender.publish("left", bytes("unheard"));
    await sender.publish("kept", bytes("marker"));
    await kept.heard("marker");
    const after = trial.inbox();
    await receiver.subscribe("left", after.handler).confirmed;
    await sender.publish("left", bytes("marker"));
    await after.heard("marker");
    same(kept.texts, ["marker"], "the messages that arrived after the restart");
    same(left.texts, [], "the messages of the handler that left during the outage");
    for (const { events } of histories) checkSequence("open", events);
  },
  async "publish() while the bus is down rejects within publishTimeout"(trial) {
    const sender = await trial.open(trial.faults);
    const history = trial.history(sender);
    await trial.bus.stop();
    const limit = trial.faults.publishTimeout + trial.slack;
    const publish = () => sender.publish("down", bytes("?"));
    await rejection(publish(), BackplaneUnavailableError, "publish() at the stop", limit);
    await history.reaches("reconnecting");
    await rejection(publish(), BackplaneUnavailableError, "publish() while down", limit);
  },
  async "publish() rejects at once while the driver knows that the bus is down"(trial) {
    const sender = await trial.open({ ...trial.faults, publishTimeout: 600_000 });
    const history = trial.history(sender);
    await trial.bus.stop();
    await history.reaches("reconnecting");
    const publish = sender.publish("down", bytes("?"));
    await rejection(publish, BackplaneUnavailableError, "publish() while down", trial.slack);
  },
  async "a bus that is down at the start is joined when it comes"(trial) {
    await trial.bus.stop();
    const [sender, receiver] = [
      await trial.opening(trial.faults),
      await trial.opening(trial.faults),
    ];
    const histories = [trial.history(sender), trial.history(receiver)];
    same(sender.status, "connecting", "status without a bus");
    const limit = trial.faults.publishTimeout + trial.slack;
    const early = sender.publish("late", bytes("?"));
    await rejection(early, BackplaneUnavailableError, "publish() without a bus", limit);
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    const inbox = trial.inbox();
    await receiver.subscribe("late", inbox.handler).confirmed;
    await sender.publish("late", bytes("marker"));
    await inbox.heard("marker");
    same(inbox.texts, ["marker"], "the messages that arrived");
    for (const { events } of histories) checkSequence("connecting", events);
  },
  async "subscriptions survive a long outage, also one that was made during it"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    const [before, during] = [trial.inbox(), trial.inbox()];
    await receiver.subscribe("before", before.handler).confirmed;
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    const subscription = receiver.subscribe("during", during.handler);
    const confirmed = refusal(subscription.confirmed);
    let early = false;
    confirmed.then(() => early = true);
    await pause(trial.outage);
    check(!early, "`confirmed` settled while the bus was down");
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    // A backplane that is open again has every channel that was wanted before.
    for (const name of ["before", "during"]) await sender.publish(name, bytes("marker"));
    await Promise.all([before.heard("marker"), during.heard("marker")]);
    const error = await within(confirmed, "`confirmed` settles", trial.patience);
    check(error === undefined, `\`confirmed\` rejected with ${error}`);
  },
  async "unsubscribe() while the bus is down withdraws a channel that was never confirmed"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    const [left, witness] = [trial.inbox(), trial.inbox()];
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    const subscription = receiver.subscribe("withdrawn", left.handler);
    const confirmed = rejection(
      subscription.confirmed,
      BackplaneError,
      "`confirmed`",
      trial.patience,
    );
    await within(subscription.unsubscribe(), "unsubscribe() resolves");
    await confirmed;
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    const reached = await sender.publish("withdrawn", bytes("unheard"));
    check(reached === 0 || reached === undefined, `publish() says that it reached ${reached}`);
    await receiver.subscribe("withdrawn", witness.handler).confirmed;
    await sender.publish("withdrawn", bytes("marker"));
    await witness.heard("marker");
    same(left.texts, [], "the messages of the withdrawn handler");
  },
  async "a gap is reported that covers the outage"(trial) {
    const receiver = await trial.open(trial.faults);
    await receiver.subscribe("gap", () => {}).confirmed;
    const history = trial.history(receiver);
    await trial.bus.stop();
    const down = Date.now();
    await history.reaches("reconnecting");
    const up = Date.now();
    await trial.bus.start();
    await history.reaches("open");
    // A driver with two connections may be open again before it has noticed the loss of the other.
    await history.reports(down, up);
  },
  async "the loss of the bus is reported before its gap"(trial) {
    const receiver = await trial.open(trial.faults);
    await receiver.subscribe("order", () => {}).confirmed;
    const history = trial.history(receiver);
    await trial.bus.stop();
    const down = Date.now();
    await trial.bus.start();
    await history.reports(down, down);
    await history.reaches("open");
    const told = history.events.map(({ status, gap }) => gap === undefined ? status : "gap");
    const order = [...new Set(told)].filter((each) => each === "reconnecting" || each === "gap");
    same(order, ["reconnecting", "gap"], "the first reports of the outage");
  },
  async "a gap is in order when the date is set back during the outage"(trial) {
    const receiver = await trial.open(trial.faults);
    await receiver.subscribe("date", () => {}).confirmed;
    const history = trial.history(receiver);
    await trial.bus.stop();
    await history.reaches("reconnecting");
    using _date = setDateBack();
    const began = Date.now();
    await trial.bus.start();
    await history.reaches("open");
    await history.reports(began, began);
    checkSequence("open", history.events);
  },
  async "nothing is lost in silence over a restart"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    // Subscribing to all of them again takes a while, and the gap lasts until then.
    const others = Array.from({ length: 5000 }, (_, index) => `other ${index}`);
    await Promise.all(others.map((name) => receiver.subscribe(name, () => {}).confirmed));
    await using ledger = new Ledger(trial, sender, receiver);
    await ledger.start();
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    await ledger.audit();
  },
  async "a publish that a stop of the bus overtakes rejects and arrives at most once"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const inbox = trial.inbox();
    await receiver.subscribe("overtaken", inbox.handler).confirmed;
    let [sent, rejected] = [0, 0];
    for (let round = 1; rejected === 0; round++) {
      check(round <= ROUNDS, `${ROUNDS} stops of the bus overtook no publish()`);
      const histories = [trial.history(sender), trial.history(receiver)];
      const outcomes: Promise<unknown>[] = [];
      const publish = () => {
        // A publish is not overtaken if the driver knows that the bus is down.
        for (let index = 0; index < 200 && sender.status === "open"; index++) {
          outcomes.push(refusal(sender.publish("overtaken", bytes(`${sent++}`))));
        }
      };
      publish();
      let down = false;
      const stopped = Promise.resolve(trial.bus.stop()).finally(() => down = true);
      for (; !down; await pause(5)) publish();
      await stopped;
      const settled = Promise.all(outcomes);
      const limit = trial.faults.publishTimeout + trial.slack;
      const refusals = await within(settled, "every publish() settles", limit);
      rejected = refusals.filter((error) => error !== undefined).length;
      const odd = refusals.find((error) =>
        error !== undefined && !(error instanceof BackplaneUnavailableError)
      );
      check(odd === undefined, `publish() rejected with ${odd}`);
      for (const history of histories) await history.reaches("reconnecting");
      await trial.bus.start();
      for (const history of histories) await history.reaches("open");
      await reachesAgain(trial, sender, "overtaken", inbox);
    }
    const arrived = inbox.texts.filter((text) => !text.startsWith("marker"));
    same(arrived.length, new Set(arrived).size, "messages that arrived, each counted once");
  },
  async "close() while the bus is down rejects `confirmed`"(trial) {
    const backplane = await trial.open(trial.faults);
    const history = trial.history(backplane);
    await trial.bus.stop();
    await history.reaches("reconnecting");
    const subscription = backplane.subscribe("closing", () => {});
    const confirmed = rejection(
      subscription.confirmed,
      BackplaneClosedError,
      "`confirmed`",
      trial.patience,
    );
    // An ignored promise must not become an unhandled rejection, which ends a process.
    void backplane.subscribe("ignored", () => {}).confirmed;
    await within(backplane.close(), "close() resolves");
    await confirmed;
    same(backplane.status, "closed", "status");
  },
}, "stop");
