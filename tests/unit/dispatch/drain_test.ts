import { assert, assertEquals } from "@std/assert";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { drainHubs, endHubs } from "../../../hub/serving/drain.ts";
import { resolveDrainOptions } from "../../../hub/options/serving.ts";
import { defineHub, type DrainOptions, type HubContext, HubError } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, end, item, result, streamCall, uploading } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";

type Context = HubContext<Record<never, never>>;

const LAST = { type: 7, allowReconnect: true };
const STREAM_CLOSING =
  "An error occurred on the server while streaming results. HubException: The server is closing.";

/** A hub whose methods tell `noticed` what they notice of a drain. */
function noticingHub() {
  const noticed = new Events<string>();
  const finish = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      async *deaf(_context: Context) {
        yield 1;
        await finish.promise;
        yield 2;
      },
      async *heeding({ signal }: Context) {
        yield 1;
        while (!signal.aborted) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        }
        noticed.add(String(signal.reason));
      },
      async *rejecting({ signal }: Context) {
        yield 1;
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
        });
      },
      *endless(_context: Context) {
        try {
          for (let n = 0; n < 1_000_000; n++) yield n;
          noticed.add("not ended");
        } finally {
          noticed.add("ended");
        }
      },
      async sum({ signal }: Context, numbers: AsyncIterable<number>) {
        signal.addEventListener("abort", () => noticed.add("asked to end"));
        let sum = 0;
        for await (const number of numbers) sum += number;
        return sum;
      },
      async plain({ signal }: Context) {
        await finish.promise;
        return signal.aborted;
      },
      async patient({ signal }: Context, numbers: AsyncIterable<number>) {
        await Array.fromAsync(numbers).catch((error) => noticed.add(String(error)));
        await finish.promise;
        return signal.aborted;
      },
    },
  });
  return { hub, noticed, finish };
}

/** Drains a hub whose time is moved by hand. */
function drain(core: HubCore, options: DrainOptions = {}) {
  const { clock } = core;
  const scheduler = new Scheduler(clock);
  const { signal } = new AbortController();
  const state = { drained: Promise.resolve(), done: false };
  state.drained = drainHubs(
    [core.live],
    resolveDrainOptions(options),
    { clock, scheduler, limitedLog: core.limitedLog },
    signal,
  );
  state.drained.then(() => state.done = true);
  return state;
}

Deno.test("drain() aborts the signal of a stream at once; a stream that heeds it ends with an error", async () => {
  const { hub, noticed } = noticingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "heeding"), streamCall("2", "rejecting"));
  assertEquals([await pipe.next(), await pipe.next()], [item("1", 1), item("2", 1)]);
  const { drained } = drain(core);
  assertEquals(await noticed.next(), String(new HubError("The server is closing.")));
  // The client must not take a part of the items for all of them.
  assertEquals(
    [await pipe.next(), await pipe.next(), await pipe.next()],
    [end("1", STREAM_CLOSING), end("2", STREAM_CLOSING), LAST],
  );
  await drained;
  assertEquals([core.log.lines, core.clock.pending], [[], 0]);
});

Deno.test("drain() ends a stream that goes on after streamTimeout, with an error that says so", async () => {
  const { hub, finish } = noticingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "deaf"));
  assertEquals(await pipe.next(), item("1", 1));
  const draining = drain(core);
  core.clock.advance(4999);
  await settle();
  assertEquals([pipe.records.length, draining.done], [2, false]);
  core.clock.advance(1);
  assertEquals([await pipe.next(), await pipe.next()], [end("1", STREAM_CLOSING), LAST]);
  await draining.drained;
  assertEquals([core.log.lines, core.clock.pending], [[], 0]);
  finish.resolve();
});

Deno.test("drain() ends a stream that never waits", async () => {
  const { hub, noticed } = noticingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "endless"));
  await settle();
  const { drained } = drain(core, { streamTimeout: 10 });
  core.clock.advance(10);
  await drained;
  assertEquals(noticed.all, ["ended"]);
  assertEquals(pipe.records.slice(-2), [end("1", STREAM_CLOSING), LAST]);
});

Deno.test("drain() lets a stream that ends by itself end as ever", async () => {
  const { hub, finish } = noticingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "deaf"));
  assertEquals(await pipe.next(), item("1", 1));
  const { drained } = drain(core);
  core.clock.advance(4999);
  finish.resolve();
  assertEquals([await pipe.next(), await pipe.next()], [item("1", 2), end("1")]);
  await drained;
});

Deno.test("drain() ends an upload after streamTimeout, and the method may go on until timeout", async () => {
  const { hub, noticed, finish } = noticingHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 2 });
  const { pipe } = await core.connect();
  pipe.send(uploading("1", "sum", ["s"]), uploading("2", "patient", ["t"]), item("s", 1));
  await settle();
  const { drained } = drain(core, { streamTimeout: 100 });
  assertEquals(await noticed.next(), "asked to end");
  pipe.send(item("s", 2));
  core.clock.advance(100);
  const text = "An unexpected error occurred invoking 'sum' on the server.";
  assertEquals(await pipe.next(), end("1", `${text} HubException: The server is closing.`));
  assertEquals(await noticed.next(), "HubError: The server is closing.");
  core.clock.advance(20_000);
  finish.resolve();
  assertEquals([await pipe.next(), await pipe.next()], [result("2", true), LAST]);
  await drained;
  assertEquals(core.log.lines, []);
});

Deno.test("drain() aborts no signal of a plain call", async () => {
  const { hub, finish } = noticingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "plain"));
  await settle();
  const { drained } = drain(core);
  core.clock.advance(29_999);
  finish.resolve();
  assertEquals([await pipe.next(), await pipe.next()], [result("1", false), LAST]);
  await drained;
});

Deno.test("drain() ends at its timeout, however many batches there are", async () => {
  const { hub } = noticingHub();
  await using core = new HubCore(hub);
  for (let n = 0; n < 50; n++) await core.connect();
  const draining = drain(core, { timeout: 1000, batch: 1, interval: 1000 });
  core.clock.advance(1000);
  await draining.drained;
  assertEquals([...core.live.connections].length, 0);
  assertEquals(core.clock.pending, 0);
});

/** How many connections end in a turn at most, and in all, while `work` is done. */
async function endedPerTurn(count: number, work: (core: HubCore) => unknown) {
  let ended = 0;
  const hub = defineHub({ methods: {}, disconnected: () => void ended++ });
  const core = new HubCore(hub);
  for (let n = 0; n < count; n++) core.admit().pipe.send({ protocol: "json", version: 1 });
  await settle();
  let most = 0;
  const done = work(core);
  for (let before = 0; ended < count; before = ended) {
    await endOfTurn();
    most = Math.max(most, ended - before);
  }
  await done;
  await core[Symbol.asyncDispose]();
  return most;
}

for (
  const [name, work] of Object.entries({
    "endHubs()": ({ live, clock, limitedLog }: HubCore) =>
      endHubs([live], { clock, limitedLog, scheduler: new Scheduler(clock) }),
    "drain()": (core: HubCore) => drain(core, { batch: 5000 }).drained,
    "a cut network": ({ live }: HubCore) => {
      for (const connection of live.connections) connection.close({});
    },
  })
) {
  Deno.test(`${name} leaves the event loop its turns while 3,000 connections end`, async () => {
    const most = await endedPerTurn(3000, work);
    assert(most < 1000, `${most} in one turn`);
  });
}

Deno.test("drain() leaves no listener behind for each pause between batches", async () => {
  const { hub } = noticingHub();
  await using core = new HubCore(hub);
  for (let n = 0; n < 6; n++) await core.connect();
  let listeners = 0;
  let most = 0;
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  AbortSignal.prototype.addEventListener = function (...args: unknown[]) {
    most = Math.max(most, ++listeners);
    Reflect.apply(addEventListener, this, args);
  };
  AbortSignal.prototype.removeEventListener = function (...args: unknown[]) {
    listeners--;
    Reflect.apply(removeEventListener, this, args);
  };
  try {
    const state = drain(core, { batch: 1, interval: 1000 });
    for (let pause = 0; pause < 6; pause++) {
      await settle();
      core.clock.advance(1000);
    }
    await state.drained;
  } finally {
    Object.assign(AbortSignal.prototype, { addEventListener, removeEventListener });
  }
  // One for the end of the drain, one to cut it, one for the streams, one for the pause.
  assertEquals(most, 4);
});

Deno.test("endHubs() ends every connection, though the end of one throws", async () => {
  await using core = new HubCore(noticingHub().hub);
  const clients = [await core.connect(), await core.connect(), await core.connect()];
  const [first, ...others] = clients.map(({ connection }) => connection);
  if (first !== undefined) {
    const { close } = first;
    first.close = function (cause) {
      close.call(this, cause);
      throw new Error("unforeseen");
    };
  }
  const { live, clock, limitedLog } = core;
  await endHubs([live], { clock, limitedLog, scheduler: new Scheduler(clock) });
  assertEquals(others.map(({ isClosed }) => isClosed), [true, true]);
  assertEquals(core.log.lines.length, 1);
  if (first !== undefined) Reflect.deleteProperty(first, "close");
});
