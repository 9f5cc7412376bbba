import { assert, assertEquals } from "@std/assert";
import { MemoryPipe, settle } from "../../kit/pipe.ts";
import { withSeed } from "../../kit/random.ts";
import { StatefulClient } from "./stateful_client.ts";
import { CLOSE, say, start, tell } from "./stateful_fixture.ts";

Deno.test("HubConnection acknowledges what has come once a second", async () => {
  await using fixture = await start();
  const { core, client } = fixture;
  client.pipe.send(say("a"), say("b"), { type: 6 });
  await settle();
  core.pass(2000);
  await settle();
  const acks = client.pipe.records.filter((record) => (record as { type: number }).type === 8);
  assertEquals(acks, [{ type: 8, sequenceId: 2 }]);
});

Deno.test("HubConnection.reattach() resends what was not acknowledged, behind its sequence", async () => {
  await using fixture = await start();
  const { core, client, ended } = fixture;
  client.pipe.send(say(1), say(2));
  await settle();
  client.pipe.send({ type: 8, sequenceId: 1 });
  client.pipe.cut();
  await settle();
  assertEquals(ended, []);
  tell(core, "while away");
  const pipe = new MemoryPipe();
  pipe.returnTo(client.connection);
  await settle();
  assertEquals(pipe.records, [
    { type: 9, sequenceId: 2 },
    { type: 1, target: "said", arguments: [2] },
    { type: 1, target: "said", arguments: ["while away"] },
  ]);
});

Deno.test("HubConnection takes what is sent again only once", async () => {
  await using fixture = await start();
  const { client, called } = fixture;
  client.pipe.send(say("a"), say("b"));
  client.pipe.cut();
  const pipe = new MemoryPipe();
  pipe.returnTo(client.connection);
  pipe.send({ type: 9, sequenceId: 1 }, say("a"), say("b"), say("c"));
  await settle();
  assertEquals(called, ["a", "b", "c"]);
});

Deno.test("HubConnection ends when messages before a sequence never came", async () => {
  await using fixture = await start({ detailedErrors: true });
  const { client } = fixture;
  client.pipe.send({ type: 9, sequenceId: 2 });
  await settle();
  assertEquals(client.pipe.records.at(-1), {
    ...CLOSE,
    error: "Connection closed with an error. InvalidDataException: Sequence ID greater than " +
      "amount of messages we've received.",
  });
});

Deno.test("HubConnection.reattach() takes over from a socket that is believed alive", async () => {
  await using fixture = await start();
  const { client, called, ended } = fixture;
  const pipe = new MemoryPipe();
  pipe.returnTo(client.connection);
  assert(client.pipe.ends.includes("terminated"));
  client.pipe.send(say("ghost"));
  client.pipe.cut();
  client.pipe.vanish();
  pipe.send({ type: 9, sequenceId: 1 }, say("real"));
  await settle();
  assertEquals([called, ended], [["real"], []]);
});

Deno.test("HubConnection drops the beginning of a record that a cut has torn", async () => {
  await using fixture = await start();
  const { client, called } = fixture;
  client.pipe.sendText('{"type":1,"target":"say","argum');
  client.pipe.cut();
  const pipe = new MemoryPipe();
  pipe.returnTo(client.connection);
  pipe.send({ type: 9, sequenceId: 1 }, say("whole"));
  await settle();
  assertEquals(called, ["whole"]);
});

Deno.test("HubConnection ends when its client does not come back", async () => {
  await using fixture = await start({ disconnectTimeout: 5000 });
  const { core, client, ended } = fixture;
  client.pipe.cut();
  core.pass(5000);
  await settle();
  assertEquals(ended, []);
  core.pass(1000);
  await settle();
  assertEquals(ended, [undefined]);
});

Deno.test("HubConnection ends at once when its client says goodbye, or shook hands in version 1", async () => {
  await using graceful = await start();
  graceful.client.pipe.vanish();
  await settle();
  assertEquals(graceful.ended, [undefined]);
  await using old = await start({}, 1);
  old.client.pipe.cut();
  await settle();
  assertEquals(old.ended, [undefined]);
});

Deno.test("HubConnection loses and doubles nothing, wherever its sockets are cut", () =>
  withSeed(async (random) => {
    for (let round = 0; round < 40; round++) await cutEverywhere(random, round);
  }));

Deno.test("a client that has come back is not blamed for the time it was away", async () => {
  await using fixture = await start({ clientTimeoutInterval: 3000, disconnectTimeout: 10_000 });
  const { core, client, ended } = fixture;
  const peer = new StatefulClient(client);
  client.pipe.send({ type: 6 });
  await settle();
  core.pass(2000);
  peer.cut(true);
  core.pass(5000);
  // The heartbeat comes before anything that the client says on its new socket.
  const pipe = new MemoryPipe();
  client.connection.resumeOn(pipe);
  core.pass(1000);
  assertEquals(ended, []);
  assert(!client.connection.isClosed);
});

async function cutEverywhere(random: () => number, round: number): Promise<void> {
  await using fixture = await start();
  const { core, client, called } = fixture;
  const peer = new StatefulClient(client);
  const texts: number[] = [];
  const below = (end: number) => Math.floor(random() * end);
  for (let step = 0; step < 60; step++) {
    texts.push(step);
    const torn = below(3) === 0;
    peer.send(say(step), torn ? random() : 1);
    if (below(2) === 0) await settle();
    if (below(5) === 0) core.pass(1000);
    if (!torn && below(4) === 0) peer.acknowledge();
    if (!torn) continue;
    peer.handle(below(3));
    peer.cut(below(2) === 0);
    await settle();
    peer.comeBack();
  }
  peer.cut(true);
  peer.comeBack();
  await settle();
  peer.handle();
  assertEquals(called, texts, `round ${round}: what the hub heard`);
  assertEquals(peer.heard, texts, `round ${round}: what the client heard`);
}
