/**
 * Without a server: clients are pipes in memory, so that the test says when one is full. `download_test.ts`
 * and `slow_reader_test.ts` stream on every server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { type MemoryPipe, settle } from "../../kit/pipe.ts";
import { looksAround } from "../../kit/looks_around.ts";
import { call, streamCall } from "../../kit/messages.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const LIMIT = 40_000;
const ITEM = "x".repeat(100);

function flowHub() {
  const log = new Events<string>();
  const finish = Promise.withResolvers<string>();
  const given = new Map<string, number>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      wait: (_context: Context) => finish.promise,
      async *many(_context: Context, name: string, count: number) {
        try {
          for (let n = 1; n <= count; n++) {
            given.set(name, n);
            yield `${n} ${ITEM}`;
          }
        } finally {
          log.add(`${name} ended`);
        }
      },
      async *forever({ signal }: Context) {
        yield 1;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        log.add("forever ended");
      },
      readable: (_context: Context) => ReadableStream.from(["read"]),
    },
    connected: ({ groups, connectionId }: Context) => groups.add(connectionId, "g"),
  });
  return { hub, log, given, finish };
}

/** The numbers of the stream's items that were written, in order. */
function numbers(pipe: MemoryPipe, id: string): number[] {
  return pipe.records.flatMap((record) => {
    const { type, invocationId, item } = record as Record<string, unknown>;
    return type === 2 && invocationId === id ? [parseInt(String(item))] : [];
  });
}

Deno.test("stream() waits while more than a quarter of maximumBufferedBytes is unsent", async () => {
  const { hub, given, log } = flowHub();
  await using core = new HubCore(hub, { maximumBufferedBytes: LIMIT });
  const { pipe } = await core.connect();
  pipe.stuck = true;
  pipe.send(streamCall("1", "many", "s", 1000));
  await looksAround();
  const stalledAt = given.get("s") ?? 0;
  assert(pipe.bufferedBytes > LIMIT / 4 && pipe.bufferedBytes < LIMIT / 4 + 1000);
  assert(stalledAt < 100, String(stalledAt));

  // What cannot wait still flows, both ways.
  pipe.send(call("2", "echo", "meanwhile"));
  const clients = core.live.clients as unknown as Context["clients"];
  clients.group("g").send("got", "from the group");
  await settle();
  const last = pipe.records.slice(-2) as Record<string, unknown>[];
  assertEquals(last.map(({ type }) => type).toSorted(), [1, 3]);
  assertEquals([given.get("s"), pipe.ends], [stalledAt, []]);

  // A little room is no relief, much is.
  pipe.bufferedBytes = LIMIT / 4 + 1;
  await looksAround();
  assertEquals(given.get("s"), stalledAt);
  pipe.stuck = false;
  pipe.bufferedBytes = 0;
  assertEquals(await log.next(), "s ended");
  await settle();
  assertEquals(numbers(pipe, "1"), [...Array(1000).keys()].map((n) => n + 1));
  assertEquals(pipe.records.at(-1), { type: 3, invocationId: "1" });
});

Deno.test("stream() to a client that does not read holds up no other client's", async () => {
  const { hub, given, log } = flowHub();
  await using core = new HubCore(hub, { maximumBufferedBytes: LIMIT });
  const slow = await core.connect();
  const quick = await core.connect();
  slow.pipe.stuck = true;
  slow.pipe.send(
    streamCall("1", "many", "slow", 1000),
    streamCall("2", "many", "also", 1000),
  );
  quick.pipe.send(streamCall("1", "many", "quick", 1000));
  assertEquals(await log.next(), "quick ended");
  await settle();
  assertEquals(numbers(quick.pipe, "1").length, 1000);
  assert((given.get("slow") ?? 0) + (given.get("also") ?? 0) < 200);
  assertEquals(slow.pipe.ends, []);
  slow.pipe.vanish();
  await looksAround();
});

Deno.test("a stream that waits for room ends at once when it is cancelled, or its client goes", async () => {
  const { hub, log } = flowHub();
  await using core = new HubCore(hub, { maximumBufferedBytes: LIMIT });
  const { pipe, connection } = await core.connect();
  pipe.stuck = true;
  pipe.send(streamCall("1", "many", "cancelled", 1000));
  await settle();
  pipe.send({ type: 5, invocationId: "1" });
  assertEquals(await log.next(), "cancelled ended");
  await settle();
  assertEquals(pipe.records.at(-1), { type: 3, invocationId: "1" });
  pipe.send(streamCall("2", "many", "left", 1000));
  await settle();
  pipe.vanish();
  assertEquals(await log.next(), "left ended");
  await connection.finished;
  await looksAround();
});

Deno.test("streams take no slot, and wait for none", async () => {
  const { hub, log, finish } = flowHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  pipe.send(call("w", "wait"));
  for (let n = 0; n < 50; n++) pipe.send(streamCall(`s${n}`, "forever"));
  for (let n = 0; n < 50; n++) {
    assertEquals(await pipe.next(), { type: 2, invocationId: `s${n}`, item: 1 });
  }
  finish.resolve("done");
  assertEquals(await pipe.next(), { type: 3, invocationId: "w", result: "done" });
  pipe.send(call("e", "echo", "free"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "e", result: "free" });
  pipe.vanish();
  assertEquals((await log.take(50)).length, 50);
});

Deno.test("a function that returns a stream takes a slot until it has returned it", async () => {
  const { hub, finish } = flowHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  // That it streams can be known only when it has run; a client must not run others so as well.
  pipe.send(call("w", "wait"), streamCall("s", "readable"));
  await settle();
  assertEquals(pipe.records.length, 1);
  finish.resolve("done");
  assertEquals([await pipe.next(), await pipe.next(), await pipe.next()], [
    { type: 3, invocationId: "w", result: "done" },
    { type: 2, invocationId: "s", item: "read" },
    { type: 3, invocationId: "s" },
  ]);
});

Deno.test("a stream's invocation id in use is refused to another stream, and the first goes on", async () => {
  const { hub, log } = flowHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "forever"), streamCall("1", "forever"));
  assertEquals(await pipe.next(), {
    type: 3,
    invocationId: "1",
    error: "Invocation ID '1' is already in use.",
  });
  assertEquals(await pipe.next(), { type: 2, invocationId: "1", item: 1 });
  pipe.send({ type: 5, invocationId: "1" });
  assertEquals(await log.next(), "forever ended");
  assertEquals(await pipe.next(), { type: 3, invocationId: "1" });
  // And is free again.
  pipe.send(streamCall("1", "readable"));
  assertEquals(await pipe.next(), { type: 2, invocationId: "1", item: "read" });
});
