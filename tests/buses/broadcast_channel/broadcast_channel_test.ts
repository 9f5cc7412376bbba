import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { deadline } from "@std/async";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
import type { BackplaneGap } from "../../../backplanes/backplane.ts";
import { moveDate } from "../../kit/date.ts";
import { Events } from "../../kit/wait.ts";
import { KeptLog } from "../../kit/log.ts";
import { WorkerThread } from "./worker_thread.ts";

const PATIENCE = 10_000;

/** Resolves with the first `count` payloads that `subscribe` hands over, as text. */
async function heard(
  count: number,
  subscribe: (handler: (payload: Uint8Array) => void) => Promise<unknown>,
): Promise<{ all: Promise<string[]> }> {
  const texts: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string[]>();
  await subscribe((payload) => {
    if (texts.push(new TextDecoder().decode(payload)) === count) resolve(texts);
  });
  return { all: deadline(promise, PATIENCE) };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("BroadcastChannelBackplane joins what is published in one turn into one post", async () => {
  const name = crypto.randomUUID();
  const listener = new BroadcastChannel(name);
  const posts: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  listener.onmessage = ({ data }) => {
    if (data.kind === "post") posts.push(data.names.length);
    if (data.kind === "bye") resolve();
  };
  const backplane = new BroadcastChannelBackplane(name);
  const publishing = Array.from({ length: 10_000 }, () => backplane.publish("a", bytes("b")));
  await Promise.all(publishing);
  await backplane.publish("a", bytes("b"));
  // 1 MiB a post: two and a half of these.
  const large = new Uint8Array(400 * 1024);
  await Promise.all([1, 2, 3, 4, 5].map(() => backplane.publish("a", large)));
  await backplane.close();
  await deadline(promise, PATIENCE);
  listener.close();
  assertEquals(posts, [10_000, 1, 2, 2, 1]);
});

Deno.test("BroadcastChannelBackplane.close() still posts what was published before", async () => {
  const name = crypto.randomUUID();
  using thread = new WorkerThread();
  const receiver = await thread.open(name);
  const { all } = await heard(2, (handler) => receiver.subscribe("last", handler).confirmed);
  const sender = new BroadcastChannelBackplane(name);
  const publishing = [
    sender.publish("last", bytes("one")),
    sender.publish("last", bytes("two")),
  ];
  await sender.close();
  await Promise.all(publishing);
  assertEquals(await all, ["one", "two"]);
  await receiver.close();
});

Deno.test("BroadcastChannelBackplane works when opened right after the thread's last was closed", async () => {
  const name = crypto.randomUUID();
  using thread = new WorkerThread();
  const far = await thread.open(name);
  for (let round = 0; round < 20; round++) {
    const last = new BroadcastChannelBackplane(name);
    const closing = last.close();
    if (round % 2 === 0) await closing;
    await using near = new BroadcastChannelBackplane(name);
    const here = await heard(1, (handler) => near.subscribe("here", handler).confirmed);
    const there = await heard(1, (handler) => far.subscribe("there", handler).confirmed);
    await near.publish("there", bytes(`to ${round}`));
    await far.publish("here", bytes(`from ${round}`));
    assertEquals(await there.all, [`to ${round}`]);
    assertEquals(await here.all, [`from ${round}`]);
  }
  await far.close();
});

Deno.test("BroadcastChannelBackplane ignores what others post under its name", async () => {
  const name = crypto.randomUUID();
  const other = new BroadcastChannel(name);
  await using receiver = new BroadcastChannelBackplane(name);
  await using sender = new BroadcastChannelBackplane(name);
  const { all } = await heard(1, (handler) => receiver.subscribe("a", handler).confirmed);
  for (const strange of [null, 1, "post", {}, { kind: "post" }, new Uint8Array(3)]) {
    other.postMessage(strange);
  }
  await sender.publish("a", bytes("ours"));
  assertEquals(await all, ["ours"]);
  other.close();
});

Deno.test("BroadcastChannelBackplane ignores malformed packets, and logs them once a minute", async () => {
  const name = crypto.randomUUID();
  const other = new BroadcastChannel(name);
  const log = new KeptLog();
  await using receiver = new BroadcastChannelBackplane(name, { logger: log });
  await using sender = new BroadcastChannelBackplane(name, { logger: new KeptLog() });
  const { all } = await heard(1, (handler) => receiver.subscribe("a", handler).confirmed);
  const signed = { hubplane: 1, from: "x", number: 1, previous: 0, at: 0, payloads: [] };
  for (const names of [undefined, null, 1, "a", {}, [1], [null], new Array(2 ** 32 - 1)]) {
    other.postMessage({ ...signed, kind: "post", names });
    other.postMessage({ ...signed, kind: "post", names: ["a"], payloads: names });
    other.postMessage({ ...signed, kind: names });
  }
  await sender.publish("a", bytes("ours"));
  assertEquals(await all, ["ours"]);
  assertEquals(log.lines, [`warn Ignored a malformed packet on the BroadcastChannel "${name}"`]);
  other.close();
});

Deno.test("BroadcastChannelBackplane outlives a platform that refuses its posts", async () => {
  const log = new KeptLog();
  const options = { logger: log, probeInterval: 10 };
  await using backplane = new BroadcastChannelBackplane(crypto.randomUUID(), options);
  const { postMessage } = BroadcastChannel.prototype;
  BroadcastChannel.prototype.postMessage = () => {
    throw new DOMException("refused", "InvalidStateError");
  };
  try {
    const error = await assertRejects(
      () => backplane.publish("a", bytes("a")),
      BackplaneUnavailableError,
      "Cannot post on the BroadcastChannel",
    );
    assertInstanceOf(error.cause, DOMException);
    // The next sign is made by a timer.
    await log.warnings.count(1);
    assertStringIncludes(log.lines[0] ?? "", "Cannot give a sign of life");
  } finally {
    BroadcastChannel.prototype.postMessage = postMessage;
  }
  await backplane.publish("a", bytes("a"));
});

const HOUR = 3_600_000;

for (const [moved, difference] of [["back", -HOUR], ["forward", HOUR]] as const) {
  Deno.test(`BroadcastChannelBackplane reports gaps in time when the date is set ${moved}`, async () => {
    const name = crypto.randomUUID();
    const other = new BroadcastChannel(name);
    const opened = Date.now() + difference;
    await using receiver = new BroadcastChannelBackplane(name, {
      probeInterval: 20,
      probeTimeout: 50,
    });
    const gaps = new Events<BackplaneGap>();
    receiver.onStatus(({ gap }) => gap && gaps.add(gap));
    await receiver.subscribe("a", () => {}).confirmed;
    const sign = (kind: string, number: number) => {
      const at = Date.now();
      other.postMessage({ hubplane: 1, kind, from: "x", number, previous: at, at, interval: 20 });
    };
    sign("hello", 0);
    // Messages between threads keep their order: the instance has read the sign after this.
    await using sender = new BroadcastChannelBackplane(name);
    const { all } = await heard(1, (handler) => receiver.subscribe("b", handler).confirmed);
    await sender.publish("b", bytes("read"));
    await all;
    using _date = moveDate(difference);
    // Post 1 to 3 were lost; then the other instance ends without a word.
    sign("beat", 3);
    for (const gap of [await gaps.next(), await gaps.next()]) {
      assertEquals(
        [opened - 10 <= gap.since, gap.since <= gap.until, gap.until <= Date.now()],
        [true, true, true],
        JSON.stringify({ ...gap, opened, now: Date.now() }),
      );
    }
    other.close();
  });
}

Deno.test("BroadcastChannelBackplane refuses options out of their range", () => {
  for (const options of [{ probeInterval: 9 }, { probeInterval: 60_001 }, { probeTimeout: 9 }]) {
    const [name = ""] = Object.keys(options);
    assertThrows(() => new BroadcastChannelBackplane("name", options), RangeError, name);
  }
});
