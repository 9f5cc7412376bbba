import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "@hubplane/hubplane";
import { Events } from "../../kit/wait.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

type Context = HubContext<{ ask(): string }>;

/** A hub whose `hold` runs until it is released, and that writes down what happens. */
function heldHub(connected?: () => Promise<void>) {
  const happened = new Events<string>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      async hold({ signal }: Context) {
        signal.addEventListener("abort", () => happened.add("aborted"));
        await released;
      },
      note({ signal }: Context, text: unknown) {
        happened.add(`${text}${signal.aborted ? "" : " while it is here"}`);
      },
      async ask({ clients }: Context) {
        await clients.caller.invoke("ask").catch((error) => happened.add(error.message));
      },
      async join({ groups, connectionId }: Context) {
        await groups.add(connectionId, "room");
        happened.add("joined");
      },
      async sum(_context: Context, numbers: AsyncIterable<number>) {
        await released;
        let sum = 0;
        try {
          for await (const number of numbers) sum += number;
          happened.add(`sum ${sum}`);
        } catch (error) {
          happened.add(`${sum}, then ${error}`);
        }
      },
      async *count({ signal }: Context) {
        happened.add(`counting, aborted ${signal.aborted}`);
        yield await Promise.resolve(1);
      },
      leave: ({ abort }: Context) => abort(),
    },
    ...connected && { connected },
    disconnected: (_context, error) => happened.add(`disconnected ${error?.message}`),
  });
  return { hub, happened, release };
}

const call = (target: string, ...args: unknown[]) => ({ type: 1, target, arguments: args });
const note = (text: string) => call("note", text);

/** A client that may come back, and whose socket is cut behind two calls: `hold` and a note, `a`. */
async function cutClient(core: HubCore): Promise<CoreClient> {
  const client = core.admit(undefined, true);
  client.pipe.send({ protocol: "json", version: 2 });
  await client.pipe.next();
  await settle();
  client.pipe.send(call("hold"), note("a"));
  client.pipe.cut();
  return client;
}

const TOO_LONG = "disconnected The client has gone and its calls took too long: the messages " +
  "behind them are dropped.";

for (const parallel of [1, 3]) {
  Deno.test(`calls that a client has left begin in order, ${parallel} at a time`, async () => {
    const { hub, happened, release } = heldHub();
    await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: parallel });
    const { pipe, connection } = await core.connect();
    for (let slot = 0; slot < parallel; slot++) pipe.send(call("hold"));
    pipe.send(note("a"), note("b"), note("c"));
    pipe.vanish();
    await settle();
    const aborted = Array.from({ length: parallel }, () => "aborted");
    assertEquals(happened.all, aborted);
    release();
    await connection.finished;
    assertEquals(happened.all.slice(parallel), ["a", "b", "c", "disconnected undefined"]);
    assertEquals([...core.live.connections], []);
  });
}

Deno.test("a call that a client has left can join it to groups, and hears that it cannot answer", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("hold"), call("join"), call("ask"), note("a"));
  pipe.vanish();
  release();
  await connection.finished;
  assertEquals(happened.all.toSorted(), [
    "Connection 'c1' disconnected.",
    ...["a", "aborted", "disconnected undefined", "joined"],
  ]);
});

Deno.test("calls that came during connected begin after it, though their client has gone", async () => {
  const opened = Promise.withResolvers<void>();
  const { hub, happened } = heldHub(() => opened.promise);
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "json", version: 1 }, note("a"), note("b"));
  pipe.vanish();
  await settle();
  assertEquals(happened.all, []);
  opened.resolve();
  await connection.finished;
  assertEquals(happened.all, ["a", "b", "disconnected undefined"]);
});

Deno.test("nothing that a client has left begins when connected fails", async () => {
  const opened = Promise.withResolvers<void>();
  const { hub, happened } = heldHub(() => opened.promise);
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "json", version: 1 }, note("a"));
  pipe.vanish();
  opened.reject(new Error("no room"));
  await connection.finished;
  assertEquals(happened.all, []);
});

Deno.test("more than is read in a turn is dispatched, though its client has gone", async () => {
  const { hub, happened } = heldHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.sendText(`${JSON.stringify(note("x"))}\x1e`.repeat(5000));
  pipe.vanish();
  await connection.finished;
  assertEquals(happened.all.length, 5001);
});

Deno.test("uploads that a client has left are read to their end", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub, { streamBufferCapacity: 2 });
  const { pipe, connection } = await core.connect();
  pipe.send({ ...call("sum"), streamIds: ["whole"] }, { ...call("sum"), streamIds: ["torn"] });
  for (const id of ["torn", "whole"]) {
    for (const item of [1, 2, 3, 4, 5]) pipe.send({ type: 2, invocationId: id, item });
  }
  pipe.send({ type: 3, invocationId: "whole" });
  pipe.vanish();
  await settle();
  assertEquals(happened.all, []);
  release();
  await connection.finished;
  await settle();
  // The one without its end fails, as ever when a client goes.
  assertEquals(happened.all.toSorted(), [
    "15, then UploadClosedError: The underlying connection was closed.",
    "disconnected undefined",
    "sum 15",
  ]);
});

Deno.test("a stream that a client has left unbegun is not read: nobody would hear it", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("hold"), note("a"), { ...call("count"), type: 4, invocationId: "1" }, note("b"));
  pipe.vanish();
  release();
  await connection.finished;
  assertEquals(happened.all, ["aborted", "a", "b", "disconnected undefined"]);
});

Deno.test("a Close that follows ends what a client has left, with what it says", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("hold"), note("a"), { type: 7, error: "bored" }, note("b"));
  pipe.vanish();
  release();
  await connection.finished;
  assertEquals(happened.all, ["aborted", "a", "disconnected bored"]);
});

Deno.test("a method's abort() ends what a client has left", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("hold"), note("a"), call("leave"), note("b"));
  pipe.vanish();
  release();
  await connection.finished;
  assertEquals(happened.all, ["aborted", "a", "disconnected undefined"]);
});

for (
  const [what, text, error] of [
    ["broken record", "{}\x1e", "Missing required property 'type'."],
    ["torn record", '{"type":1,"tar', "Connection terminated while reading a message."],
  ] as const
) {
  Deno.test(`disconnected hears of a ${what} behind what a client has left`, async () => {
    const { hub, happened, release } = heldHub();
    await using core = new HubCore(hub);
    const { pipe, connection } = await core.connect();
    pipe.send(call("hold"), note("a"));
    pipe.sendText(text);
    pipe.vanish();
    release();
    await connection.finished;
    assertEquals(happened.all, ["aborted", "a", `disconnected ${error}`]);
  });
}

Deno.test("what a client has left has disconnectTimeout to begin", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub, { disconnectTimeout: 5000 });
  const { pipe, connection } = await core.connect();
  pipe.send(call("hold"), note("a"));
  pipe.vanish();
  core.pass(5000);
  await settle();
  assertEquals(happened.all, ["aborted"]);
  core.pass(1000);
  await connection.finished;
  assertEquals(happened.all, ["aborted", TOO_LONG]);
  release();
  await settle();
  assertEquals(happened.all.length, 2);
});

Deno.test("what a client has left is dropped when connected takes longer than disconnectTimeout", async () => {
  const opened = Promise.withResolvers<void>();
  const { hub, happened } = heldHub(() => opened.promise);
  await using core = new HubCore(hub, { disconnectTimeout: 5000 });
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "json", version: 1 }, note("a"));
  pipe.vanish();
  core.pass(6000);
  opened.resolve();
  await connection.finished;
  assertEquals(happened.all, [TOO_LONG]);
});

Deno.test("a server that closes or drains ends what a client has left at once", async () => {
  for (const end of ["close", "retire"] as const) {
    const { hub, happened, release } = heldHub();
    await using core = new HubCore(hub);
    const { pipe, connection } = await core.connect();
    pipe.send(call("hold"), note("a"));
    pipe.vanish();
    await settle();
    if (end === "close") connection.close({});
    else {
      core.live.retire(connection);
      await settle();
    }
    await connection.finished;
    assertEquals(happened.all, ["aborted", "disconnected undefined"], end);
    release();
    await settle();
    assertEquals(happened.all.length, 2, end);
  }
});

Deno.test("what a client has left is dispatched once, though it had sent it twice", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub, { disconnectTimeout: 5000 });
  const { connection } = await cutClient(core);
  const second = new MemoryPipe();
  second.returnTo(connection);
  second.send({ type: 9, sequenceId: 1 }, call("hold"), note("a"), note("b"));
  second.vanish();
  release();
  await connection.finished;
  assertEquals(happened.all, ["aborted", "a", "b", "disconnected undefined"]);
});

Deno.test("what a client that does not come back has left is dispatched", async () => {
  const { hub, happened, release } = heldHub();
  await using core = new HubCore(hub, { disconnectTimeout: 5000 });
  const { connection } = await cutClient(core);
  core.pass(6000);
  await settle();
  assertEquals(happened.all, ["aborted"]);
  release();
  await connection.finished;
  assertEquals(happened.all, ["aborted", "a", "disconnected undefined"]);
});
