/**
 * What is kept for a client that may come back, and when that is too much.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { MemoryPipe, settle } from "../../kit/pipe.ts";
import type { Received } from "./stateful_client.ts";
import { CLOSE, start, tell } from "./stateful_fixture.ts";

Deno.test("HubConnection ends when its client does not acknowledge for 5 s", async () => {
  await using fixture = await start({ statefulReconnectBufferSize: 1000 });
  const { core, client, ended } = fixture;
  tell(core, "x".repeat(1000));
  core.pass(5000);
  await settle();
  assertEquals(ended, []);
  core.pass(2000);
  await settle();
  assertEquals(client.pipe.records.at(-1), CLOSE);
  assertEquals(ended, ["The client does not acknowledge the messages that it is sent."]);
});

Deno.test("HubConnection.reattach() resends at once all that may be unsent, and streams wait for it", async () => {
  await using fixture = await start({
    maximumBufferedBytes: 2000,
    statefulReconnectBufferSize: 2000,
  });
  const { core, client, ended } = fixture;
  const { connection } = client;
  client.pipe.cut();
  for (let i = 0; i < 4; i++) tell(core, `${i}`.padEnd(430));
  let pipe = new MemoryPipe();
  // What is stuck in a socket that it has left does not count.
  for (let returns = 0; returns < 3; returns++) {
    pipe = new MemoryPipe();
    pipe.stuck = true;
    pipe.returnTo(connection);
    assertEquals(pipe.records.length, 5);
    assertEquals((pipe.records[0] as Received).sequenceId, 1);
  }
  assert(pipe.bufferedBytes > 1900);
  const waiting = connection.untilWritable();
  assert(waiting !== undefined);
  pipe.send({ type: 9, sequenceId: 1 }, { type: 8, sequenceId: 4 });
  pipe.bufferedBytes = 0;
  await waiting;
  assertEquals(connection.untilWritable(), undefined);
  assertEquals(ended, []);
  for (let i = 0; i < 7; i++) tell(core, `${i}`.padEnd(430));
  await settle();
  assertEquals(ended, ["The client reads too slowly: too many bytes are unsent."]);
});

Deno.test("HubConnection ends at once when more is kept than may be unsent", async () => {
  await using fixture = await start({ maximumBufferedBytes: 2000 });
  const { core, client, ended } = fixture;
  client.pipe.cut();
  // The largest message does not count: 2700 bytes before the fifth.
  for (let i = 0; i < 4; i++) tell(core, "x".repeat(900));
  assertEquals(ended, []);
  tell(core, "x".repeat(900));
  await settle();
  assertEquals(ended, ["The client reads too slowly: too many bytes are unsent."]);
});

Deno.test("a message larger than maximumBufferedBytes, kept for its client, leaves room for others", async () => {
  await using fixture = await start({
    maximumBufferedBytes: 2000,
    statefulReconnectBufferSize: 2000,
  });
  const { core, client, ended } = fixture;
  const { connection } = client;
  const large = "x".repeat(200_000);
  for (const text of ["a", large, "b", "c"]) tell(core, text);
  await settle();
  assertEquals(ended, []);
  client.pipe.cut();
  tell(core, "d");
  const pipe = new MemoryPipe();
  pipe.stuck = true;
  Object.assign(pipe, { reportsWholeFrames: true });
  pipe.returnTo(connection);
  // The client takes what was kept, and is sent more meanwhile; it has time for the whole frame.
  tell(core, "e");
  core.pass(12_000);
  tell(core, "f");
  pipe.bufferedBytes = 0;
  await settle();
  assertEquals([ended, pipe.ends], [[], []]);
  const heard = (pipe.records as Received[]).flatMap(({ arguments: [text] = [] }) => text ?? []);
  assertEquals(heard, ["a", large, "b", "c", "d", "e", "f"]);
  // Once the client has acknowledged the large message, the others have the usual room.
  pipe.send({ type: 8, sequenceId: 2 });
  for (let i = 0; i < 4; i++) tell(core, "x".repeat(800));
  await settle();
  assertEquals(ended, []);
  tell(core, "x".repeat(800));
  await settle();
  assertEquals(ended, ["The client reads too slowly: too many bytes are unsent."]);
});

Deno.test("an acknowledgement of bytes that the client has not taken makes no room", async () => {
  await using fixture = await start({ maximumBufferedBytes: 2000 });
  const { core, client, ended } = fixture;
  client.pipe.stuck = true;
  for (let sent = 1; sent <= 5; sent++) {
    assertEquals(ended, []);
    tell(core, "x".repeat(900));
    client.pipe.send({ type: 8, sequenceId: sent });
    await settle();
  }
  assertEquals(ended, ["The client reads too slowly: too many bytes are unsent."]);
});
