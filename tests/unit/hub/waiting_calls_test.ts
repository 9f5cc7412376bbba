/**
 * While a call waits for the calls before it, everything else that its client sends is heard.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  defineHub,
  type HubClients,
  type HubContext,
  type HubServerOptions,
} from "../../../mod.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { call, cancel, end, item, result, uploading } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";
import { withSeed } from "../../kit/random.ts";
import { Events } from "../../kit/wait.ts";

interface Client {
  got(value: unknown): void;
  ask(): number;
}
type Context = HubContext<Client>;

const FLOODED = "Too many bytes are waiting to be dispatched.";

/** A hub that writes down what happens, and a client that may come back on another socket. */
async function start(options: HubServerOptions = {}) {
  const happened = new Events<string>();
  const held = new Events<PromiseWithResolvers<void>>();
  const hub = defineHub({
    methods: {
      note: (_context: Context, text: string) => happened.add(text),
      async hold({ signal }: Context, name: string) {
        happened.add(`hold ${name}`);
        signal.addEventListener("abort", () => happened.add(`aborted ${name}`));
        const waiting = Promise.withResolvers<void>();
        held.add(waiting);
        await waiting.promise;
      },
      async ask({ clients }: Context) {
        happened.add(`answer ${await clients.caller.invoke("ask")}`);
      },
      async read(_context: Context, name: string, items: AsyncIterable<unknown>) {
        happened.add(`read ${name}`);
        for await (const item of items) happened.add(`${name} ${item}`);
        happened.add(`${name} ends`);
      },
      keep: (_context: Context, _items: AsyncIterable<unknown>) => new Promise<void>(() => {}),
    },
    disconnected: (_context: Context, error) => happened.add(`disconnected ${error?.message}`),
  });
  const core = new HubCore(hub, options);
  const client = core.admit(undefined, true);
  client.pipe.send({ protocol: "json", version: 2 });
  await client.pipe.next();
  await settle();
  return {
    ...client,
    core,
    happened,
    held,
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

/** The client has a call under way, and another call that waits for the slot. */
function holdUp({ pipe }: CoreClient): void {
  pipe.send(call("h", "hold", "first"), call("w", "note", "waited"));
}

Deno.test("acknowledgements are heard while a call waits for its slot", async () => {
  await using node = await start({ statefulReconnectBufferSize: 1000 });
  const { core, pipe, happened } = node;
  holdUp(node);
  const clients = core.live.clients as unknown as HubClients<Client>;
  for (let sent = 1; sent <= 20; sent++) {
    clients.all.send("got", "x".repeat(1000));
    core.pass(1000);
    pipe.send({ type: 8, sequenceId: sent });
    await settle();
  }
  assertEquals(happened.all, ["hold first"]);
  assertEquals(pipe.ends, []);
});

Deno.test("pings are heard while a call waits for its slot, and the calls are acknowledged", async () => {
  await using node = await start({ clientTimeoutInterval: 5000 });
  const { core, pipe } = node;
  holdUp(node);
  core.pass(1000);
  await settle();
  assert(pipe.records.some((record) => JSON.stringify(record) === '{"type":8,"sequenceId":2}'));
  for (let second = 0; second < 20; second++) {
    pipe.send({ type: 6 });
    core.pass(1000);
  }
  assertEquals(pipe.ends, []);
});

Deno.test("a client that is silent after its first ping is closed, even while one of its calls waits", async () => {
  await using node = await start({ clientTimeoutInterval: 5000 });
  const { core, pipe, happened } = node;
  pipe.send({ type: 6 });
  holdUp(node);
  core.pass(4000);
  assertEquals(pipe.ends, []);
  core.pass(1000);
  assertEquals(pipe.ends, [1000]);
  await happened.find((text) => text.startsWith("disconnected Client hasn't sent a message"));
});

Deno.test("a cancellation of a running call is heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  holdUp(node);
  pipe.send(cancel("h"));
  assertEquals(happened.all, ["hold first", "aborted first"]);
});

Deno.test("a cancellation and items of a running call are heard while the client does not take its answers", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.stuck = true;
  const clients = node.core.live.clients as unknown as HubClients<Client>;
  clients.all.send("got", "x".repeat(300_000));
  pipe.send(uploading("u", "read", ["s"], "s"), item("s", 1), call("w", "note", "waited"));
  await settle();
  assertEquals(happened.all, ["read s", "s 1"]);
  pipe.bufferedBytes = 0;
  pipe.send({ type: 8, sequenceId: 1 });
  await happened.find((text) => text === "waited");
  clients.all.send("got", "x".repeat(300_000));
  pipe.send(call("h", "hold", "first"), cancel("h"));
  assertEquals(happened.all.slice(3), ["hold first", "aborted first"]);
});

Deno.test("a result of the client is heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.send(call("1", "ask"));
  const { invocationId } = await pipe.next() as { invocationId: string };
  holdUp(node);
  pipe.send(result(invocationId, 42));
  await settle();
  assertEquals(happened.all, ["hold first", "answer 42"]);
});

Deno.test("items of a running upload are heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.send(uploading("1", "read", ["s"], "s"));
  holdUp(node);
  pipe.send(item("s", 1), item("s", 2), end("s"));
  await settle();
  assertEquals(happened.all, ["read s", "hold first", "s 1", "s 2", "s ends"]);
});

Deno.test("what names a waiting call waits with that call, and every call keeps its place", async () => {
  await using node = await start();
  const { pipe, happened, held } = node;
  holdUp(node);
  pipe.send(uploading("2", "read", ["s"], "s"), call("3", "hold", "third"));
  pipe.send(item("s", 1), cancel("3"), call("4", "note", "fourth"), item("s", 2), end("s"));
  await settle();
  assertEquals(happened.all, ["hold first"]);
  (await held.next()).resolve();
  await settle();
  const items = happened.all.filter((text) => text.startsWith("s "));
  assertEquals(items, ["s 1", "s 2", "s ends"]);
  const calls = happened.all.slice(1).filter((text) => !items.includes(text));
  assertEquals(calls, ["waited", "read s", "hold third", "aborted third"]);
  (await held.next()).resolve();
  await settle();
  assertEquals(happened.all.at(-1), "fourth");
});

Deno.test("a Close and a broken rule wait behind the calls before them", async () => {
  for (
    const [last, why] of [[{ type: 7 }, undefined], [
      { type: 1 },
      "Missing required property 'target'.",
    ]]
  ) {
    await using node = await start();
    const { pipe, happened, held, connection } = node;
    holdUp(node);
    pipe.send(last, call("5", "note", "never"));
    await settle();
    assertEquals(happened.all, ["hold first"]);
    (await held.next()).resolve();
    await connection.finished;
    assertEquals(happened.all, ["hold first", "waited", `disconnected ${why}`]);
  }
});

Deno.test("items of uploads that wait count together among what a client may send ahead", async () => {
  await using node = await start({ maximumQueuedReceiveBytes: 100_000 });
  const { pipe, connection, happened } = node;
  const value = "x".repeat(1000);
  for (let upload = 0; upload < 20; upload++) {
    pipe.send(uploading(`${upload}`, "keep", [`s${upload}`]));
    for (let n = 0; n < 10; n++) pipe.send(item(`s${upload}`, value));
    if (pipe.ends.length > 0) break;
    assert(connection.budget.used("bytes") <= 100_000);
  }
  assertEquals(pipe.ends, [1000]);
  await connection.finished;
  assertEquals(happened.all, [`disconnected ${FLOODED}`]);
});

Deno.test("waiting calls give their bytes back, and so do items, however they go", async () => {
  await using node = await start();
  const { pipe, connection, held, happened } = node;
  pipe.send(uploading("1", "read", ["s"], "s"));
  for (let n = 0; n < 30; n++) pipe.send(item("s", n));
  pipe.send(end("s"));
  holdUp(node);
  for (let n = 0; n < 1000; n++) pipe.send(call(undefined, "note", `${n}`));
  assert(connection.budget.used("bytes") > 40_000);
  (await held.next()).resolve();
  await happened.find((text) => text === "999");
  await settle();
  assertEquals(connection.budget.used("bytes"), 0);
  assertEquals(happened.all.slice(-1000), [...Array(1000).keys()].map(String));
});

Deno.test("an upload that its client has ended and its method has left unread holds nothing up", async () => {
  const { promise: unread, resolve: leave } = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      leave: (_context: Context, _items: AsyncIterable<unknown>) => unread,
      echo: (_context: Context, value: unknown) => value,
    },
  });
  await using core = new HubCore(hub, { streamBufferCapacity: 1 });
  const { pipe, connection } = await core.connect();
  pipe.send(uploading("1", "leave", ["s"]), item("s", 1), item("s", 2), end("s"));
  pipe.send(call("2", "echo", "after"));
  await settle();
  assertEquals(pipe.records.length, 1);
  leave();
  assertEquals([await pipe.next(), await pipe.next()], [result("1"), result("2", "after")]);
  assertEquals(connection.budget.used("bytes"), 0);
});

Deno.test("streams wait for no acknowledgement while nothing is read from their client", async () => {
  await using node = await start({
    statefulReconnectBufferSize: 1000,
    maximumQueuedReceiveBytes: 10_000,
  });
  const { core, pipe, connection, held } = node;
  const clients = core.live.clients as unknown as HubClients<Client>;
  clients.all.send("got", "x".repeat(2000));
  assert(connection.untilWritable() !== undefined);
  holdUp(node);
  pipe.send(call(undefined, "note", "x".repeat(6000)));
  assertEquals(pipe.paused, true);
  assertEquals(connection.untilWritable(), undefined);
  core.pass(20_000);
  assertEquals(pipe.ends, []);
  (await held.next()).resolve();
  await settle();
  assertEquals(pipe.paused, false);
  assert(connection.untilWritable() !== undefined);
});

Deno.test("the beginning of a large message behind a waiting call pauses and closes no client", async () => {
  await using node = await start({ maximumReceiveMessageSize: 2_000_000 });
  const { pipe, happened, held } = node;
  const record = `${JSON.stringify(call("l", "note", "x".repeat(1_800_000)))}\x1e`;
  for (const part of [600_000, 1_500_000]) {
    const first = held.all.length;
    holdUp(node);
    pipe.sendText(record.slice(0, part));
    await settle();
    assertEquals([pipe.paused, pipe.ends], [false, []]);
    held.all[first]?.resolve();
    await settle();
    assertEquals(happened.all.at(-1), "waited");
    pipe.sendText(record.slice(part));
    await settle();
    assertEquals(happened.all.at(-1)?.length, 1_800_000);
    assertEquals([pipe.paused, pipe.ends], [false, []]);
  }
});

Deno.test("the beginning of a large message does not count among the items that wait", async () => {
  await using node = await start({
    maximumReceiveMessageSize: 20_000,
    maximumQueuedReceiveBytes: 10_000,
  });
  const { pipe, happened } = node;
  pipe.send(uploading("1", "keep", ["s"]));
  const large = `${JSON.stringify(call("2", "note", "large".padEnd(15_000)))}\x1e`;
  // The items behind the first ten wait with their call.
  for (let n = 0; n < 12; n++) pipe.send(item("s", "x".repeat(200)));
  pipe.sendText(large.slice(0, 14_000));
  await settle();
  assertEquals([pipe.paused, pipe.ends, happened.all], [false, [], []]);
});

Deno.test("calls begin in the order in which they were sent, whatever their client sends between them", () =>
  withSeed(async (random) => {
    await using node = await start();
    const { pipe, happened, held } = node;
    const sent: string[] = [];
    let open: string | undefined;
    for (let step = 0; step < 400; step++) {
      const kind = Math.floor(random() * 6);
      if (kind < 2) {
        const target = kind === 0 ? "note" : "hold";
        sent.push(kind === 0 ? `${step}` : `hold ${step}`);
        pipe.send(call(`${step}`, target, `${step}`));
      } else if (kind === 2 && open === undefined) {
        sent.push(`read ${open = `${step}`}`);
        pipe.send(uploading(`u${step}`, "read", [open], open));
      } else if (kind === 3 && open !== undefined) {
        pipe.send(...random() < 0.2 ? [end(open)] : [item(open, step), item(open, step + 0.5)]);
        if (random() < 0.1) open = undefined;
      } else if (kind === 4) pipe.send({ type: 6 });
      else if (held.all.length > 0) held.all[Math.floor(random() * held.all.length)]?.resolve();
      if (random() < 0.2) await settle();
    }
    for (let rest = 0; rest < 200; rest++) {
      for (const waiting of held.all) waiting.resolve();
      await settle();
    }
    assertEquals(happened.all.filter((text) => /^(\d+|hold \d+|read \d+)$/.test(text)), sent);
  }));

Deno.test("a client that floods in one piece is closed: what waits and what is unread count together", async () => {
  await using node = await start({ maximumQueuedReceiveBytes: 10_000 });
  const { pipe, connection, happened } = node;
  holdUp(node);
  const record = `${JSON.stringify(call(undefined, "note", "x".repeat(1000)))}\x1e`;
  pipe.sendText(record.repeat(20));
  await connection.finished;
  assertEquals(pipe.ends, [1000]);
  assertEquals(happened.all, ["hold first", "aborted first", `disconnected ${FLOODED}`]);
});
