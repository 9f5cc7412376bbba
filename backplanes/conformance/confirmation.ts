/** Cases on channels that the bus has not confirmed. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, pause, refusal, rejection, same, within } from "./assert.ts";
import { BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "../errors.ts";

export const confirmationCases: readonly ConformanceCase[] = [
  ...defineCases({
    async "unsubscribe() before the bus has confirmed withdraws the channel"(trial) {
      const [sender, receiver] = await trial.pair();
      const [left, witness] = [trial.inbox(), trial.inbox()];
      for (let round = 0; round < 20; round++) {
        const subscription = receiver.subscribe("early", left.handler);
        const confirmed = refusal(subscription.confirmed);
        for (let turn = round % 4; turn > 0; turn--) await Promise.resolve();
        await within(subscription.unsubscribe(), `unsubscribe() resolves in round ${round}`);
        const error = await within(confirmed, `\`confirmed\` settles in round ${round}`);
        check(
          error === undefined || error instanceof BackplaneError,
          `\`confirmed\` rejected with ${error}`,
        );
      }
      await sender.publish("early", bytes("unheard"));
      await receiver.subscribe("early", witness.handler).confirmed;
      await sender.publish("early", bytes("marker"));
      await witness.heard("marker");
      same(left.texts, [], "the messages of the handlers that left");
    },
  }),
  ...defineCases({
    async "a channel that the bus refuses rejects `confirmed` and harms nobody"(trial) {
      const [sender, receiver] = await trial.pair();
      const inbox = trial.inbox();
      const subscription = receiver.subscribe(trial.refusedChannel, () => {});
      const other = receiver.subscribe("permitted", inbox.handler);
      const error = await rejection(
        subscription.confirmed,
        BackplaneError,
        "`confirmed`",
        trial.patience,
      );
      for (const kind of [BackplaneUnavailableError, BackplaneClosedError]) {
        check(!(error instanceof kind), `\`confirmed\` rejected with ${error}`);
      }
      await within(other.confirmed, "another channel is confirmed");
      await sender.publish("permitted", bytes("marker"));
      await inbox.heard("marker");
      same(receiver.status, "open", "status after a refusal");
      await within(subscription.unsubscribe(), "unsubscribe() resolves");
    },
    async "a refusal that nobody waits for is logged"(trial) {
      const receiver = await trial.open();
      receiver.subscribe(trial.refusedChannel, () => {});
      const limit = Date.now() + trial.patience;
      while (trial.logged.length === 0) {
        check(Date.now() < limit, "the refusal is not logged");
        await pause(10);
      }
    },
  }, "refuse"),
];
