/** Cases on a bus that hangs: connections stay, nothing answers. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { setDateBack } from "./date.ts";
import { Ledger } from "./ledger.ts";
import { bytes, check, pause, rejection, ROUNDS, same, within } from "./assert.ts";
import { checkSequence } from "./status.ts";
import { reachesAgain } from "./trial.ts";
import { BackplaneUnavailableError } from "../errors.ts";

export const hangCases: readonly ConformanceCase[] = defineCases({
  async "a hung bus is noticed within probeInterval + probeTimeout"(trial) {
    const receiver = await trial.open(trial.faults);
    await receiver.subscribe("hang", () => {}).confirmed;
    const history = trial.history(receiver);
    await trial.bus.pause();
    const hung = Date.now();
    const limit = trial.faults.probeInterval + trial.faults.probeTimeout + trial.slack;
    await within(history.reaches("reconnecting"), "the hung bus is noticed", limit);
    // A connection that only publishes may notice first, and has no gap to report. The bus hangs until
    // every connection must have noticed, because one that is answered in time misses nothing.
    await pause(hung + limit - Date.now());
    await trial.bus.resume();
    await history.reaches("open");
    check(history.covers(hung, hung), "no gap covers the moment the bus hung");
  },
  async "a hung bus is noticed in time after the date was set back"(trial) {
    const receiver = await trial.open(trial.faults);
    await receiver.subscribe("hang", () => {}).confirmed;
    const history = trial.history(receiver);
    const { probeInterval, probeTimeout } = trial.faults;
    using _date = setDateBack();
    // The pause before the next probe is measured while the date is back.
    await pause(2 * probeInterval);
    await trial.bus.pause();
    const limit = probeInterval + probeTimeout + trial.slack;
    await within(history.reaches("reconnecting"), "the hung bus is noticed", limit);
    await trial.bus.resume();
    await history.reaches("open");
    checkSequence("open", history.events);
  },
  async "publish() to a hung bus rejects within publishTimeout and arrives at most once"(trial) {
    // Probes are too slow to notice the hang: publishTimeout must end the wait.
    const options = { ...trial.faults, probeInterval: 60_000, probeTimeout: 60_000 };
    const [sender, receiver] = await trial.pair(options);
    const histories = [trial.history(sender), trial.history(receiver)];
    const inbox = trial.inbox();
    await receiver.subscribe("hang", inbox.handler).confirmed;
    await trial.bus.pause();
    const limit = trial.faults.publishTimeout + trial.slack;
    const publish = sender.publish("hang", bytes("unanswered"));
    await rejection(publish, BackplaneUnavailableError, "publish()", limit);
    await trial.bus.resume();
    for (const history of histories) await history.reaches("open");
    await reachesAgain(trial, sender, "hang", inbox);
    const arrived = inbox.texts.filter((text) => text === "unanswered").length;
    check(arrived <= 1, `the rejected message arrived ${arrived} times`);
  },
  /**
   * The bus hangs until the publish has rejected. Then it takes the message, from a connection that is
   * already given up or with an answer that comes too late.
   */
  async "a publish whose reply is lost rejects and arrives at most once"(trial) {
    const sender = await trial.open(trial.faults);
    // The receiver keeps its connection, so that it hears the messages that the bus takes after the hang.
    const patient = { ...trial.faults, probeInterval: 60_000, probeTimeout: 60_000 };
    const receiver = await trial.open(patient);
    const inbox = trial.inbox();
    await receiver.subscribe("lost", inbox.handler).confirmed;
    const limit = trial.faults.publishTimeout + trial.slack;
    for (let round = 1;; round++) {
      check(
        round <= ROUNDS,
        `the bus took none of ${ROUNDS} messages whose publish() was rejected`,
      );
      const text = `unanswered ${round}`;
      await trial.bus.pause();
      const publish = sender.publish("lost", bytes(text));
      await rejection(publish, BackplaneUnavailableError, "publish() without a reply", limit);
      await trial.bus.resume();
      await reachesAgain(trial, sender, "lost", inbox);
      // A message that the bus was given before may come after it, by another connection.
      for (let waits = 0; waits < 50 && !inbox.texts.includes(text); waits++) await pause(20);
      if (inbox.texts.includes(text)) break;
    }
    await trial.history(sender).reaches("open");
    await reachesAgain(trial, sender, "lost", inbox);
    const arrived = inbox.texts.filter((text) => text.startsWith("unanswered"));
    same(arrived.length, new Set(arrived).size, "rejected messages, each counted once");
  },
  async "a channel wanted while the bus hangs is confirmed when the bus goes on"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    const inbox = trial.inbox();
    await trial.bus.pause();
    const subscription = receiver.subscribe("hang", inbox.handler);
    for (const history of histories) await history.reaches("reconnecting");
    await pause(trial.faults.publishTimeout);
    await trial.bus.resume();
    await within(subscription.confirmed, "the channel is confirmed", trial.patience);
    for (const history of histories) await history.reaches("open");
    await sender.publish("hang", bytes("marker"));
    await inbox.heard("marker");
  },
  async "nothing is lost in silence over a hang"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    await using ledger = new Ledger(trial, sender, receiver);
    await ledger.start();
    await trial.bus.pause();
    for (const history of histories) await history.reaches("reconnecting");
    await trial.bus.resume();
    for (const history of histories) await history.reaches("open");
    await ledger.audit();
  },
}, "pause");
