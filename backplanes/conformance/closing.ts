/** Cases on closing. */
import type { Backplane } from "../backplane.ts";
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, rejection, same, within } from "./assert.ts";
import { BackplaneClosedError } from "../errors.ts";
import type { Trial } from "./trial.ts";

/** Checks that `operation` is refused from the call of `close()` on. */
function refusedAfterClose(
  operation: (backplane: Backplane) => Promise<unknown>,
): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const backplane = await trial.open();
    const closing = backplane.close();
    await rejection(operation(backplane), BackplaneClosedError, "the call while closing");
    await within(closing, "close() resolves");
    await rejection(operation(backplane), BackplaneClosedError, "the call after close()");
  };
}

export const closingCases: readonly ConformanceCase[] = defineCases({
  "after close() publish() rejects with BackplaneClosedError": refusedAfterClose(
    (backplane) => backplane.publish("closed", bytes("?")),
  ),
  "after close() subscribe() rejects with BackplaneClosedError": refusedAfterClose(
    (backplane) => backplane.subscribe("closed", () => {}).confirmed,
  ),
  async "close() settles what is under way"(trial) {
    const backplane = await trial.open();
    const waiting = [
      backplane.subscribe("pending", () => {}).confirmed,
      backplane.publish("pending", bytes("?")),
    ];
    const outcomes = Promise.allSettled(waiting);
    await within(backplane.close(), "close() resolves");
    for (
      const outcome of await within(outcomes, "every operation under way settles", trial.patience)
    ) {
      if (outcome.status === "fulfilled") continue;
      const { reason } = outcome;
      check(reason instanceof BackplaneClosedError, `an operation rejected with ${reason}`);
    }
  },
  async "close() is idempotent"(trial) {
    const backplane = await trial.open();
    await within(
      Promise.all([backplane.close(), backplane.close()]),
      "two calls of close() resolve",
    );
    await within(backplane.close(), "a third close() resolves");
    await within(backplane[Symbol.asyncDispose](), "disposing resolves");
  },
  async "close() right after opening resolves"(trial) {
    const backplane = await trial.opening();
    await within(backplane.close(), "close() resolves", trial.patience);
    same(backplane.status, "closed", "status");
  },
  async "`await using` closes"(trial) {
    const backplane = await trial.open();
    {
      await using inner = backplane;
      await inner.subscribe("using", () => {}).confirmed;
    }
    same(backplane.status, "closed", "status");
  },
  async "after close() no handler is called"(trial) {
    const [sender, receiver] = await trial.pair();
    const witness = await trial.open();
    const [heard, seen] = [trial.inbox(), trial.inbox()];
    const closing: Promise<void>[] = [];
    await receiver.subscribe("last words", (payload) => {
      heard.handler(payload);
      closing.push(receiver.close());
    }).confirmed;
    await receiver.subscribe("last words", heard.handler).confirmed;
    await witness.subscribe("last words", seen.handler).confirmed;
    const sent = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(sent.map((text) => sender.publish("last words", bytes(text))));
    await Promise.all([seen.counted(100), heard.counted(1)]);
    await within(Promise.all(closing), "close() in a handler resolves");
    await sender.publish("last words", bytes("marker"));
    await seen.heard("marker");
    same(heard.texts, ["0"], "the messages of the closed instance");
  },
  async "closing an instance leaves the others alone"(trial) {
    const [sender, receiver] = await trial.pair();
    const [leaver, inbox] = [await trial.open(), trial.inbox()];
    await receiver.subscribe("others", inbox.handler).confirmed;
    await leaver.subscribe("others", () => {}).confirmed;
    await leaver.close();
    const reached = await sender.publish("others", bytes("marker"));
    check(reached === 1 || reached === undefined, `publish() says that it reached ${reached}`);
    await inbox.heard("marker");
    same([sender.status, receiver.status], ["open", "open"], "statuses of the others");
  },
  async "unsubscribe() after close() resolves"(trial) {
    const backplane = await trial.open();
    const subscription = backplane.subscribe("late", () => {});
    await subscription.confirmed;
    await backplane.close();
    await within(subscription.unsubscribe(), "unsubscribe() resolves");
  },
  async "20 instances opened, used and closed leave no timer and no socket behind"(trial) {
    // The sanitizers of the runner, such as those of Deno.test, find the timers and sockets.
    for (let round = 0; round < 10; round++) {
      const [sender, receiver] = await trial.pair();
      const inbox = trial.inbox();
      const subscription = receiver.subscribe("leak", inbox.handler);
      await subscription.confirmed;
      await sender.publish("leak", bytes("marker"));
      await inbox.heard("marker");
      if (round % 2 === 0) await subscription.unsubscribe();
      await within(Promise.all([sender.close(), receiver.close()]), "close() resolves");
    }
  },
});
