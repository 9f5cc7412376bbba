/**
 * Without a server: clients are pipes in memory, so that the test says what has come when. `upload_test.ts`
 * uploads on every server.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call, end, item, result, uploading } from "../../kit/messages.ts";

type Context = HubContext<{ ask(value: unknown): number }>;

/** A hub whose `read` reads one item each time the test says so. */
function stepHub() {
  const iterators: AsyncIterator<unknown>[] = [];
  const log = new Events<string>();
  const finish = Promise.withResolvers<string>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      read(_context: Context, items: AsyncIterable<unknown>) {
        iterators.push(items[Symbol.asyncIterator]());
        return finish.promise;
      },
      async all({ signal }: Context, items: AsyncIterable<unknown>) {
        signal.addEventListener("abort", () => log.add("aborted"));
        const all: unknown[] = [];
        try {
          for await (const item of items) all.push(item);
        } catch (error) {
          log.add(`${error}`);
          throw error;
        } finally {
          log.add(JSON.stringify(all));
        }
        return all;
      },
      wait: (_context: Context) => finish.promise,
    },
  });
  return { hub, iterators, log, finish };
}

Deno.test("an upload holds streamBufferCapacity items; beyond that no call of its client begins", async () => {
  const { hub, iterators, finish } = stepHub();
  await using core = new HubCore(hub, { streamBufferCapacity: 3 });
  const { pipe } = await core.connect();
  pipe.send(uploading("1", "read", ["s"]));
  for (const n of [1, 2, 3]) pipe.send(item("s", n));
  pipe.send(call("2", "echo", "three fit"));
  assertEquals(await pipe.next(), result("2", "three fit"));
  // The fourth holds up every call behind it.
  pipe.send(item("s", 4), call("3", "echo", "held up"), { type: 6 }, end("s"));
  await settle();
  assertEquals(pipe.records.length, 2);
  assertEquals(await iterators[0]?.next(), { done: false, value: 1 });
  assertEquals(await pipe.next(), result("3", "held up"));
  for (const value of [2, 3, 4]) {
    assertEquals(await iterators[0]?.next(), { done: false, value });
  }
  assertEquals(await iterators[0]?.next(), { done: true, value: undefined });
  finish.resolve("read");
  assertEquals(await pipe.next(), result("1", "read"));
});

Deno.test("an upload that is full lets its client be read again when its method ends", async () => {
  const { hub, finish } = stepHub();
  await using core = new HubCore(hub, { streamBufferCapacity: 1 });
  const { pipe } = await core.connect();
  pipe.send(uploading("1", "read", ["s"]));
  for (let n = 0; n < 100; n++) pipe.send(item("s", n));
  pipe.send(call("2", "echo", "after"));
  await settle();
  assertEquals(pipe.records.length, 1);
  finish.resolve("unread");
  assertEquals([await pipe.next(), await pipe.next()], [
    result("1", "unread"),
    result("2", "after"),
  ]);
  // Its id is free again.
  pipe.send(uploading("3", "all", ["s"]), item("s", "new"), end("s"));
  assertEquals(await pipe.next(), result("3", ["new"]));
});

Deno.test("a full upload that a drain ends lets its client be read again before its method ends", async () => {
  const { hub, finish } = stepHub();
  await using core = new HubCore(hub, { streamBufferCapacity: 1 });
  const { pipe, connection } = await core.connect();
  pipe.send(uploading("1", "read", ["s"]), item("s", 1), item("s", 2), call("2", "echo", "after"));
  await settle();
  assertEquals(pipe.records.length, 1);
  core.live.retire(connection);
  core.live.endStreams(connection);
  assertEquals(
    await pipe.next(),
    end(
      "2",
      "Failed to invoke 'echo' due to an error on the server. HubException: The server is closing.",
    ),
  );
  finish.resolve("unread");
  assertEquals(await pipe.next(), result("1", "unread"));
});

Deno.test("an upload fails, after what has come, when its client disappears", async () => {
  for (const readFirst of [true, false]) {
    const { hub, log } = stepHub();
    await using core = new HubCore(hub, { streamBufferCapacity: 2 });
    const { pipe, connection } = await core.connect();
    pipe.send(uploading("1", "all", ["s"]));
    if (readFirst) await settle();
    // Without a pause the last of these waits for room.
    for (const n of [1, 2, 3, 4]) pipe.send(item("s", n));
    pipe.vanish();
    await connection.finished;
    const [first, ...rest] = await log.take(3);
    assertEquals(first, "aborted");
    assertEquals(rest[0], "UploadClosedError: The underlying connection was closed.");
    // The client's leaving is nothing that the operator must know of.
    assertEquals(core.log.lines, []);
  }
});

Deno.test("an upload that ended before its client disappeared is read to its end", async () => {
  const { hub, iterators } = stepHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(uploading("1", "read", ["s"]), item("s", 1), item("s", 2), end("s"));
  await settle();
  pipe.vanish();
  await connection.finished;
  assertEquals(await iterators[0]?.next(), { done: false, value: 1 });
  assertEquals(await iterators[0]?.next(), { done: false, value: 2 });
  assertEquals(await iterators[0]?.next(), { done: true, value: undefined });
});

Deno.test("an upload id in use is refused, and the running upload goes on", async () => {
  const { hub } = stepHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  const refused = (id: string, stream: string) => ({
    type: 3,
    invocationId: id,
    error: "An unexpected error occurred invoking 'all' on the server. " +
      `HubException: Stream ID '${stream}' is already in use.`,
  });
  pipe.send(uploading("1", "all", ["s"]), item("s", 1), uploading("2", "all", ["s"]));
  assertEquals(await pipe.next(), refused("2", "s"));
  pipe.send(item("s", 2), end("s"));
  assertEquals(await pipe.next(), result("1", [1, 2]));
  pipe.send(uploading("3", "all", ["s"]), end("s"));
  assertEquals(await pipe.next(), result("3", []));
});

Deno.test("an upload's error, without a text too, reaches its method as a HubError", async () => {
  const { hub, log } = stepHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  for (const [id, error] of [["1", "torn"], ["2", ""]] as const) {
    pipe.send(uploading(id, "all", ["s"]), item("s", 1), end("s", error));
    assertEquals(await pipe.next(), {
      type: 3,
      invocationId: id,
      error: `An unexpected error occurred invoking 'all' on the server. HubException: ${error}`,
    });
  }
  assertEquals(log.all, ["HubError: torn", "[1]", "HubError", "[1]"]);
});

Deno.test("items and ends of uploads that do not exist are ignored", async () => {
  const { hub } = stepHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(item("nobody", 1), end("nobody"), end("nobody", "error"), item("__proto__", 1));
  pipe.send(call("1", "echo", "alive"));
  assertEquals(await pipe.next(), result("1", "alive"));
});

Deno.test("calls with uploads take no slot, and wait for none", async () => {
  const { hub, finish } = stepHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  pipe.send(call("1", "wait"));
  for (const id of ["a", "b", "c"]) pipe.send(uploading(id, "all", [id]));
  for (const id of ["b", "a", "c"]) {
    pipe.send(item(id, id), end(id));
    assertEquals(await pipe.next(), result(id, [id]));
  }
  finish.resolve("done");
  assertEquals(await pipe.next(), result("1", "done"));
});
