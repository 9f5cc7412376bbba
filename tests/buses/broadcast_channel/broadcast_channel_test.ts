import { assertEquals, assertThrows } from "@std/assert";
import { deadline } from "@std/async";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
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

Deno.test("BroadcastChannelBackplane refuses options out of their range", () => {
  for (const options of [{ probeInterval: 9 }, { probeInterval: 60_001 }, { probeTimeout: 9 }]) {
    const [name = ""] = Object.keys(options);
    assertThrows(() => new BroadcastChannelBackplane("name", options), RangeError, name);
  }
});
