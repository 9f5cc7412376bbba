/** Cases on the delivery of messages. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, same, within } from "./assert.ts";

const MIB = 1024 * 1024;

export const deliveryCases: readonly ConformanceCase[] = defineCases({
  async "a payload arrives unchanged: empty, every byte value, 1 MiB"(trial) {
    const [sender, receiver] = await trial.pair();
    const large = Uint8Array.from({ length: MIB }, (_, index) => (index * 31 + (index >> 8)) & 255);
    const view = new Uint8Array(new ArrayBuffer(300), 20, 256).map((_, index) => index);
    const payloads = [new Uint8Array(), view, bytes("\r\n\0 é"), large];
    const arrived: Uint8Array[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await receiver.subscribe("bytes", (payload) => {
      if (arrived.push(payload.slice()) === payloads.length) resolve();
    }).confirmed;
    for (const payload of payloads) await sender.publish("bytes", payload);
    await within(promise, () => `${payloads.length} payloads arrive; ${arrived.length} did`);
    for (const [index, sent] of payloads.entries()) {
      const got = arrived[index];
      check(got instanceof Uint8Array, `payload ${index} is not a Uint8Array`);
      same(got.length, sent.length, `length of payload ${index}`);
      const wrong = sent.findIndex((byte, at) => byte !== got[at]);
      check(wrong === -1, `byte ${wrong} of payload ${index} (${sent.length} bytes) has changed`);
    }
  },
  async "the publisher may change its buffer once publish() has returned"(trial) {
    const [sender, receiver] = await trial.pair();
    const inbox = trial.inbox();
    await receiver.subscribe("buffer", inbox.handler).confirmed;
    const buffer = bytes("first");
    const published = sender.publish("buffer", buffer);
    buffer.set(bytes("other"));
    await published;
    await sender.publish("buffer", bytes("marker"));
    await inbox.heard("marker");
    same(inbox.texts, ["first", "marker"], "the messages that arrived");
  },
  async "a message reaches every other instance"(trial) {
    const sender = await trial.open();
    const inboxes = [trial.inbox(), trial.inbox(), trial.inbox()];
    for (const inbox of inboxes) {
      await (await trial.open()).subscribe("news", inbox.handler).confirmed;
    }
    await sender.publish("news", bytes("sun"));
    for (const inbox of inboxes) await inbox.heard("sun");
  },
  async "a message arrives exactly once"(trial) {
    const [sender, receiver] = await trial.pair();
    const inbox = trial.inbox();
    await receiver.subscribe("once", inbox.handler).confirmed;
    await receiver.subscribe("other", () => {}).confirmed;
    const sent = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(sent.map((text) => sender.publish("once", bytes(text))));
    await sender.publish("once", bytes("marker"));
    await inbox.heard("marker");
    same([...inbox.texts].sort(), [...sent, "marker"].sort(), "the messages that arrived");
  },
  async "an own message comes back at most once"(trial) {
    const [self, other] = await trial.pair();
    const [mine, theirs] = [trial.inbox(), trial.inbox()];
    await self.subscribe("own", mine.handler).confirmed;
    await other.subscribe("own", theirs.handler).confirmed;
    await self.publish("own", bytes("own"));
    await theirs.heard("own");
    // The other instance has heard it: an own message that does come back is not far behind.
    for (const text of ["marker 1", "marker 2"]) {
      await other.publish("own", bytes(text));
      await mine.heard(text);
    }
    const returned = mine.texts.filter((text) => text === "own").length;
    check(returned <= 1, `an own message came back ${returned} times`);
    same(mine.texts.filter((text) => text !== "own"), ["marker 1", "marker 2"], "other messages");
  },
  async "nothing arrives on another channel"(trial) {
    const [sender, receiver] = await trial.pair();
    const [right, wrong] = [trial.inbox(), trial.inbox()];
    await receiver.subscribe("right", right.handler).confirmed;
    await receiver.subscribe("wrong", wrong.handler).confirmed;
    for (let index = 0; index < 10; index++) await sender.publish("right", bytes(`${index}`));
    await right.heard("9");
    await sender.publish("wrong", bytes("marker"));
    await wrong.heard("marker");
    same(wrong.texts, ["marker"], "the messages that arrived on the other channel");
  },
  async "two prefixes are isolated"(trial) {
    const [left, right] = [`${trial.prefix}left:`, `${trial.prefix}right:`];
    const [leftSender, leftReceiver, rightSender, rightReceiver] = await Promise.all(
      [left, left, right, right].map((prefix) => trial.open({}, prefix)),
    );
    const [leftInbox, rightInbox] = [trial.inbox(), trial.inbox()];
    await leftReceiver?.subscribe("same", leftInbox.handler).confirmed;
    await rightReceiver?.subscribe("same", rightInbox.handler).confirmed;
    await leftSender?.publish("same", bytes("left"));
    await leftInbox.heard("left");
    await rightSender?.publish("same", bytes("right"));
    await rightInbox.heard("right");
    await leftSender?.publish("same", bytes("marker"));
    await leftInbox.heard("marker");
    same(leftInbox.texts, ["left", "marker"], "the messages that arrived under the first prefix");
    same(rightInbox.texts, ["right"], "the messages that arrived under the second prefix");
  },
  async "a message published right after a channel was confirmed arrives"(trial) {
    const [sender, receiver] = await trial.pair();
    for (let index = 0; index < 50; index++) {
      const inbox = trial.inbox();
      await receiver.subscribe(`fresh ${index}`, inbox.handler).confirmed;
      await sender.publish(`fresh ${index}`, bytes("first"));
      await inbox.heard("first");
    }
  },
  async "publish() without subscribers resolves with 0 or undefined"(trial) {
    const [sender] = await trial.pair();
    const reached = await within(sender.publish("nobody", bytes("?")), "publish() resolves");
    check(reached === 0 || reached === undefined, `publish() resolved with ${reached}`);
  },
  async "publish() resolves with the number of subscribers or undefined"(trial) {
    const sender = await trial.open();
    for (let expected = 1; expected <= 3; expected++) {
      await (await trial.open()).subscribe("count", () => {}).confirmed;
      const reached = await within(sender.publish("count", bytes("?")), "publish() resolves");
      check(reached === expected || reached === undefined, `${reached} reached of ${expected}`);
    }
  },
  async "a counted publish() resolves with 0 only if nobody is subscribed"(trial) {
    const [sender, receiver] = await trial.pair();
    const outcome = (channel: string) =>
      within(sender.publish(channel, bytes("?"), true), "a counted publish() resolves");
    const subscription = receiver.subscribe("heard", () => {});
    await subscription.confirmed;
    // Together and one after the other, beside messages that nobody hears.
    for (const channels of [["nobody"], ["heard"], ["nobody", "heard", "nobody", "heard"]]) {
      const counts = await Promise.all(channels.map(outcome));
      for (const [index, count] of counts.entries()) {
        const heard = channels[index] === "heard";
        check(
          count === undefined || count === (heard ? 1 : 0),
          `publish() resolved with ${count} where ${heard ? "one is" : "nobody is"} subscribed`,
        );
      }
    }
    await subscription.unsubscribe();
    const left = await outcome("heard");
    check(left === 0 || left === undefined, `publish() resolved with ${left} after the last left`);
  },
});
