/**
 * What clients may send ahead of a call that waits, and what of it is kept.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubClients } from "../../../mod.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, end, item, result, uploading } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";
import { type Client, type Context, FLOODED, holdUp, start } from "./waiting_client.ts";

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
