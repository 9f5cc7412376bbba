/** Cases on the order of messages and of handlers' calls. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, same, within } from "./assert.ts";
import type { Trial } from "./trial.ts";

/** The first place where `texts` are not 0, 1, 2 …; -1 if nowhere. */
function outOfOrder(texts: readonly string[]): number {
  return texts.findIndex((text, index) => text !== `${index}`);
}

function inOrder(count: number, awaited: boolean): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const [sender, receiver] = await trial.pair();
    const inbox = trial.inbox();
    await receiver.subscribe("order", inbox.handler).confirmed;
    const publishing: Promise<unknown>[] = [];
    for (let index = 0; index < count; index++) {
      const published = sender.publish("order", bytes(`${index}`));
      if (awaited) await published;
      else publishing.push(published);
    }
    await Promise.all(publishing);
    await inbox.counted(count);
    const wrong = outOfOrder(inbox.texts);
    check(wrong === -1, `message ${wrong} arrived as ${inbox.texts[wrong]}`);
    same(inbox.texts.length, count, "messages arrived");
  };
}

export const orderCases: readonly ConformanceCase[] = defineCases({
  "10,000 messages of one publisher arrive in order": inOrder(10_000, false),
  "200 messages awaited one by one arrive in order": inOrder(200, true),
  async "each publisher's order is kept"(trial) {
    const [first, second] = await trial.pair();
    const receiver = await trial.open();
    const inbox = trial.inbox();
    await receiver.subscribe("mixed", inbox.handler).confirmed;
    const publishing: Promise<unknown>[] = [];
    for (let index = 0; index < 1000; index++) {
      publishing.push(first.publish("mixed", bytes(`first ${index}`)));
      publishing.push(second.publish("mixed", bytes(`second ${index}`)));
    }
    await Promise.all(publishing);
    await inbox.counted(2000);
    for (const name of ["first", "second"]) {
      const own = inbox.texts.filter((text) => text.startsWith(name));
      const wrong = outOfOrder(own.map((text) => text.slice(name.length + 1)));
      check(wrong === -1, `message ${wrong} of the ${name} publisher is ${own[wrong]}`);
      same(own.length, 1000, `messages of the ${name} publisher`);
    }
  },
  async "handlers of a channel are called in the order they subscribed"(trial) {
    const [sender, receiver] = await trial.pair();
    const inbox = trial.inbox();
    for (const name of ["one", "two", "three"]) {
      await receiver.subscribe("handlers", (payload) => {
        inbox.handler(bytes(`${name} ${new TextDecoder().decode(payload)}`));
      }).confirmed;
    }
    await sender.publish("handlers", bytes("a"));
    await sender.publish("handlers", bytes("b"));
    await inbox.counted(6);
    const expected = ["one a", "two a", "three a", "one b", "two b", "three b"];
    same(inbox.texts, expected, "the calls");
  },
  async "a handler that publishes is not called again before it returns"(trial) {
    const [left, right] = await trial.pair();
    const { promise, resolve } = Promise.withResolvers<void>();
    let [inside, deepest, rounds] = [0, 0, 0];
    const answering = (node: typeof left, answerOn: string) => () => {
      deepest = Math.max(deepest, ++inside);
      // A rejection here shows as a round that never comes.
      if (++rounds < 20) node.publish(answerOn, bytes("?")).catch(() => {});
      else resolve();
      inside--;
    };
    await left.subscribe("left", answering(left, "right")).confirmed;
    await right.subscribe("right", answering(right, "left")).confirmed;
    await left.publish("right", bytes("?"));
    await within(promise, () => `20 rounds are made; ${rounds} were`);
    same(deepest, 1, "handlers running at once");
  },
});
