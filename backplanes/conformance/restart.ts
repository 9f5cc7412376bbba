/** Cases on a bus that goes down and comes back. */
import { type ConformanceCase, conformanceCase } from "./case.ts";
import { Ledger } from "./ledger.ts";
import { checkSequence } from "./status.ts";
import {
  bytes,
  check,
  FAULT_OPTIONS,
  pause,
  refusal,
  rejection,
  ROUNDS,
  same,
  within,
} from "./assert.ts";
import { reachesAgain, type Trial } from "./trial.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../errors.ts";

function stopping(name: string, body: (trial: Trial) => Promise<void>): ConformanceCase {
  return conformanceCase(name, body, "stop");
}

const survives = stopping("subscriptions survive a restart of the bus", async (trial) => {
  const [sender, receiver] = await trial.pair(FAULT_OPTIONS);
  const histories = [trial.history(sender), trial.history(receiver)];
  const [kept, left] = [trial.inbox(), trial.inbox()];
  await receiver.subscribe("kept", kept.handler);
  const leaver = await receiver.subscribe("left", left.handler);
  await trial.bus.stop();
  for (const history of histories) await history.reaches("reconnecting");
  await within(leaver.unsubscribe(), "unsubscribe() while the bus is down resolves");
  await trial.bus.start();
  for (const history of histories) await history.reaches("open");
  await sender.publish("left", bytes("unheard"));
  await sender.publish("kept", bytes("marker"));
  await kept.heard("marker");
  const after = trial.inbox();
  await receiver.subscribe("left", after.handler);
  await sender.publish("left", bytes("marker"));
  await after.heard("marker");
  same(kept.texts, ["marker"], "what arrived after the restart");
  same(left.texts, [], "what a handler heard that had left during the outage");
  for (const { events } of histories) checkSequence("open", events);
});

const publishing = stopping(
  "publish() while the bus is down rejects within publishTimeout",
  async (trial) => {
    const sender = await trial.open(FAULT_OPTIONS);
    const history = trial.history(sender);
    await trial.bus.stop();
    const limit = FAULT_OPTIONS.publishTimeout + trial.slack;
    const publish = () => sender.publish("down", bytes("?"));
    await rejection(publish(), BackplaneUnavailableError, "publish() at the stop", limit);
    await history.reaches("reconnecting");
    await rejection(publish(), BackplaneUnavailableError, "publish() while down", limit);
  },
);

const atOnce = stopping(
  "publish() rejects at once while the driver knows that the bus is down",
  async (trial) => {
    const sender = await trial.open({ ...FAULT_OPTIONS, publishTimeout: 600_000 });
    const history = trial.history(sender);
    await trial.bus.stop();
    await history.reaches("reconnecting");
    const publish = sender.publish("down", bytes("?"));
    await rejection(publish, BackplaneUnavailableError, "publish() while down", trial.slack);
  },
);

const lateBus = stopping(
  "a bus that is down at the start is joined when it comes",
  async (trial) => {
    await trial.bus.stop();
    const [sender, receiver] = [
      await trial.opening(FAULT_OPTIONS),
      await trial.opening(FAULT_OPTIONS),
    ];
    const histories = [trial.history(sender), trial.history(receiver)];
    same(sender.status, "connecting", "status without a bus");
    const limit = FAULT_OPTIONS.publishTimeout + trial.slack;
    const early = sender.publish("late", bytes("?"));
    await rejection(early, BackplaneUnavailableError, "publish() without a bus", limit);
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    const inbox = trial.inbox();
    await receiver.subscribe("late", inbox.handler);
    await sender.publish("late", bytes("marker"));
    await inbox.heard("marker");
    same(inbox.texts, ["marker"], "what arrived");
    for (const { events } of histories) checkSequence("connecting", events);
  },
);

const patient = stopping(
  "a subscribe() while the bus is down is confirmed later",
  async (trial) => {
    const [sender, receiver] = await trial.pair({ ...FAULT_OPTIONS, subscribeTimeout: 60_000 });
    const [histories, inbox] = [[trial.history(sender), trial.history(receiver)], trial.inbox()];
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    const subscribing = receiver.subscribe("patient", inbox.handler);
    await trial.bus.start();
    await within(subscribing, "subscribe() resolves when the bus is back");
    await histories[0]?.reaches("open");
    await sender.publish("patient", bytes("marker"));
    await inbox.heard("marker");
  },
);

const withdrawn = stopping(
  "a subscribe() while the bus is down rejects after subscribeTimeout and is withdrawn",
  async (trial) => {
    const [sender, receiver] = await trial.pair(FAULT_OPTIONS);
    const histories = [trial.history(sender), trial.history(receiver)];
    const [refused, witness] = [trial.inbox(), trial.inbox()];
    await trial.bus.stop();
    for (const history of histories) await history.reaches("reconnecting");
    const limit = FAULT_OPTIONS.subscribeTimeout + trial.slack;
    const subscribing = receiver.subscribe("refused", refused.handler);
    await rejection(subscribing, BackplaneUnavailableError, "subscribe()", limit);
    await trial.bus.start();
    for (const history of histories) await history.reaches("open");
    await receiver.subscribe("refused", witness.handler);
    await sender.publish("refused", bytes("marker"));
    await witness.heard("marker");
    same(refused.texts, [], "what the withdrawn handler heard");
  },
);

const gap = stopping("a gap is reported that covers the outage", async (trial) => {
  const receiver = await trial.open(FAULT_OPTIONS);
  await receiver.subscribe("gap", () => {});
  const history = trial.history(receiver);
  await trial.bus.stop();
  const down = Date.now();
  await history.reaches("reconnecting");
  const up = Date.now();
  await trial.bus.start();
  await history.reaches("open");
  // A driver with two connections may be open again before it has noticed the loss of the other.
  await history.reports(down, up);
});

const noSilentLoss = stopping("nothing is lost in silence over a restart", async (trial) => {
  const [sender, receiver] = await trial.pair(FAULT_OPTIONS);
  const histories = [trial.history(sender), trial.history(receiver)];
  // To have all of them again takes a while, and until then there is a gap.
  const others = Array.from({ length: 5000 }, (_, index) => `other ${index}`);
  await Promise.all(others.map((name) => receiver.subscribe(name, () => {})));
  await using ledger = new Ledger(trial, sender, receiver);
  await ledger.start();
  await trial.bus.stop();
  for (const history of histories) await history.reaches("reconnecting");
  await trial.bus.start();
  for (const history of histories) await history.reaches("open");
  await ledger.audit();
});

const overtaken = stopping(
  "a publish that a stop of the bus overtakes rejects and arrives at most once",
  async (trial) => {
    const [sender, receiver] = await trial.pair(FAULT_OPTIONS);
    const inbox = trial.inbox();
    await receiver.subscribe("overtaken", inbox.handler);
    let [sent, rejected] = [0, 0];
    for (let round = 1; rejected === 0; round++) {
      check(round <= ROUNDS, `${ROUNDS} stops of the bus overtook no publish()`);
      const histories = [trial.history(sender), trial.history(receiver)];
      const outcomes: Promise<unknown>[] = [];
      const publish = () => {
        // What is published while the driver knows that the bus is down is not overtaken.
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
      const limit = FAULT_OPTIONS.publishTimeout + trial.slack;
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
);

const closing = stopping("close() while the bus is down rejects who waits", async (trial) => {
  const backplane = await trial.open({ ...FAULT_OPTIONS, subscribeTimeout: 60_000 });
  const history = trial.history(backplane);
  await trial.bus.stop();
  await history.reaches("reconnecting");
  const subscribing = rejection(
    backplane.subscribe("closing", () => {}),
    BackplaneClosedError,
    "subscribe()",
  );
  await within(backplane.close(), "close() resolves");
  await subscribing;
  same(backplane.status, "closed", "status");
});

/** All of them. */
export const restartCases: readonly ConformanceCase[] = [
  survives,
  publishing,
  atOnce,
  lateBus,
  patient,
  withdrawn,
  gap,
  noSilentLoss,
  overtaken,
  closing,
];
