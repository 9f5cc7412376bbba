import { assert, assertEquals, assertGreater } from "@std/assert";
import { delay } from "@std/async";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
import type { LossResult } from "../loss/ledger.ts";
import { WorkerLoss } from "./worker_loss.ts";
import { WorkerThread } from "./worker_thread.ts";

/** Short signs, so that a test need not wait for them; still far above a busy machine's delays. */
const OPTIONS = { probeInterval: 200, probeTimeout: 800 };

function assertNothingInSilence(result: LossResult): void {
  const { silentlyLost, duplicates, outOfOrder } = result;
  assertEquals({ silentlyLost, duplicates, outOfOrder }, {
    silentlyLost: 0,
    duplicates: 0,
    outOfOrder: 0,
  });
}

/** Another application's channel pushes out what a blocked thread has not read; nothing there is numbered. */
function pushOut(): void {
  const channel = new BroadcastChannel(crypto.randomUUID());
  for (let count = 0; count < 300; count++) channel.postMessage(count);
  channel.close();
}

Deno.test("BroadcastChannelBackplane loses nothing in silence when a worker is blocked for 1 s under load", async () => {
  const name = crypto.randomUUID();
  using loss = await WorkerLoss.open(name);
  await using publisher = new BroadcastChannelBackplane(name);
  await loss.load(publisher, 500);
  const blocked = loss.block(1000);
  await loss.load(publisher, 4000);
  await blocked;
  await loss.load(publisher, 500);
  await loss.reach(publisher);
  const result = loss.result();
  assertNothingInSilence(result);
  assertGreater(result.reportedLost, 0, "The load was too small to lose anything");
  // What is reported is the outage, not the whole run.
  for (const { since, until } of result.gaps) assert(until - since < 3000);
});

Deno.test("BroadcastChannelBackplane reports a loss at the end of a load by its next sign of life", async () => {
  const name = crypto.randomUUID();
  using loss = await WorkerLoss.open(name, OPTIONS);
  await using publisher = new BroadcastChannelBackplane(name, OPTIONS);
  await loss.reach(publisher);
  const blocked = loss.block(1000);
  await loss.load(publisher, 100);
  pushOut();
  await blocked;
  await loss.accounted();
  const result = loss.result();
  assertNothingInSilence(result);
  assertGreater(result.reportedLost, 0);
});

Deno.test("BroadcastChannelBackplane reports a loss when its publisher closes meanwhile", async () => {
  const name = crypto.randomUUID();
  using loss = await WorkerLoss.open(name, OPTIONS);
  const publisher = new BroadcastChannelBackplane(name, OPTIONS);
  await loss.reach(publisher);
  const blocked = loss.block(1000);
  await loss.load(publisher, 400);
  await publisher.close();
  await blocked;
  await loss.accounted();
  const result = loss.result();
  assertNothingInSilence(result);
  assertGreater(result.reportedLost, 0);
});

Deno.test("BroadcastChannelBackplane reports the last words of a thread that ended without a word", async () => {
  const name = crypto.randomUUID();
  using loss = await WorkerLoss.open(name, OPTIONS);
  const thread = new WorkerThread();
  const publisher = await thread.open(name, OPTIONS);
  await loss.reach(publisher);
  const blocked = loss.block(1000);
  await loss.load(publisher, 50);
  thread[Symbol.dispose]();
  pushOut();
  await blocked;
  await loss.accounted();
  const result = loss.result();
  assertNothingInSilence(result);
  assertGreater(result.reportedLost, 0);
});

Deno.test("BroadcastChannelBackplane reports no gap where nothing was lost", async () => {
  const name = crypto.randomUUID();
  await using publisher = new BroadcastChannelBackplane(name, OPTIONS);
  let ended = false;
  const loading = (async () => {
    while (!ended) {
      await publisher.publish("calm", new Uint8Array(10));
      await delay(1);
    }
  })();
  using thread = new WorkerThread();
  const gaps: unknown[] = [];
  for (let round = 0; round < 20; round++) {
    await using here = new BroadcastChannelBackplane(name, OPTIONS);
    const there = await thread.open(name, OPTIONS);
    for (const receiver of [here, there]) {
      receiver.onStatus(({ gap }) => gap && gaps.push({ round, gap }));
      const { promise, resolve } = Promise.withResolvers<void>();
      await receiver.subscribe("calm", () => resolve()).confirmed;
      await promise;
    }
    await there.close();
  }
  ended = true;
  await loading;
  assertEquals(gaps, []);
});
