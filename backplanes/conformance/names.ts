/** Cases on channel names. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes, check, rejection, same } from "./assert.ts";
import type { Trial } from "./trial.ts";

/** Names that a bus might take for a pattern, for two words, for one another, or not carry at all. */
const NAMES: readonly string[] = [
  ...["a", "A", "b", "a.b", "a.*", "a.>", "*", ">", "*.b", ".a", "a.", "a..b", "."],
  ...["a:b", "a?", "?", "[ab]", "a[", "a]", "{a}", "\\", "a\\*", "^a", "[^a]", "a*", "**"],
  ...[" ", " a", "a ", "a b", "\t", "a\tb", "\n", "a\nb", "\r\n", "\0", "a\0", "\x7f"],
  ...["%2E", "=2E", "_", "-", "$SYS", "$SYS.>", "#", "a/b", "+", "__proto__", "constructor"],
  ...["ü", "u\u0308", "日本語", "😀", "\uFEFF", "\uFEFFa", "\u2028", "\u017F", "\u212A", "K"],
];

/** Publishes once on every name, and checks that each handler hears its own name only. */
function eachItsOwn(...channels: readonly string[]): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const [sender, receiver] = await trial.pair();
    const inboxes = new Map(channels.map((channel) => [channel, trial.inbox()]));
    const subscribed = Array.from(
      inboxes,
      ([channel, { handler }]) => receiver.subscribe(channel, handler).confirmed,
    );
    await Promise.all(subscribed);
    const publish = (text: (index: number) => string) =>
      Promise.all(channels.map((name, index) => sender.publish(name, bytes(text(index)))));
    await publish((index) => `${index}`);
    for (const [index, channel] of channels.entries()) {
      await inboxes.get(channel)?.heard(`${index}`);
    }
    await publish(() => "marker");
    for (const [index, channel] of channels.entries()) {
      const inbox = inboxes.get(channel);
      await inbox?.heard("marker");
      const what = `the messages that arrived on ${JSON.stringify(channel.slice(0, 40))}`;
      same(inbox?.texts, [`${index}`, "marker"], what);
    }
  };
}

export const nameCases: readonly ConformanceCase[] = defineCases({
  "a channel name is never a pattern, and no two names are one": eachItsOwn(...new Set(NAMES)),
  "a channel name may have 1,024 bytes": eachItsOwn(
    "x".repeat(1024),
    "x".repeat(1023),
    "x".repeat(1023) + "y",
    ".".repeat(1024),
    "é".repeat(512),
    "😀".repeat(256),
    "\0".repeat(1024),
  ),
  async "an empty name, one of 1,025 bytes and a lone surrogate are a RangeError"(trial) {
    const backplane = await trial.open();
    const names = ["", "x".repeat(1025), "é".repeat(512) + "x", "日".repeat(342), "a\uD800"];
    for (const name of names) {
      const shown = JSON.stringify(name.slice(0, 10));
      await rejection(backplane.publish(name, bytes("?")), RangeError, `publish(${shown})`);
      let thrown: unknown;
      try {
        backplane.subscribe(name, () => {});
      } catch (error) {
        thrown = error;
      }
      check(thrown instanceof RangeError, `subscribe(${shown}) threw ${thrown}`);
    }
    same(backplane.status, "open", "status after refused names");
  },
});
