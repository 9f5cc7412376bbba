/** Cases on a bus that hangs: connections stay, nothing answers. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { Ledger } from "./ledger.ts";
import { bytes, check, pause, rejection, ROUNDS, same, within } from "./assert.ts";
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
    // The first to notice may be a connection that only publishes, and has no gap to report. The bus
    // hangs until any other has noticed too: one that is answered in time has missed nothing.
    await pause(hung + limit - Date.now());
    await trial.bus.resume();
    await history.reaches("open");
    check(history.covers(hung, hung), "no gap covers the moment the bus hung");
  },
  async "publish() to a hung bus rejects within publishTimeout and arrives at most once"(trial) {
    // Probes that see nothing in time: it is publishTimeout that must end the wait.
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
   * The bus hangs until the publisher has given the publish up, then takes it, from a connection that
   * nobody hears any more or as an answer that nobody waits for.
   */
  async "a publish whose reply is lost rejects and arrives at most once"(trial) {
    const sender = await trial.open(trial.faults);
    // Stays through the hang, so that it hears what the bus takes afterwards.
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
