import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubClients, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

interface Client {
  got(value: unknown): void;
}

/** A hub that says how connections end, and one message to all of its clients. */
function stallingHub() {
  const ends = new Events<readonly [id: string, error: Error | undefined]>();
  const hub = defineHub({
    methods: {},
    disconnected: ({ connectionId }: HubContext<Client>, error) => ends.add([connectionId, error]),
  });
  const tell = (core: HubCore, value: unknown) => {
    const clients = core.live.clients as unknown as HubClients<Client>;
    return clients.all.send("got", value);
  };
  return { hub, ends, tell };
}

Deno.test("HubConnection ends when its client takes nothing for transportSendTimeout, and no other does", async () => {
  const { hub, ends, tell } = stallingHub();
  await using core = new HubCore(hub, { transportSendTimeout: 5000, keepAliveInterval: 1000 });
  const stuck = await core.connect();
  const slow = await core.connect();
  const idle = await core.connect();
  stuck.pipe.stuck = slow.pipe.stuck = true;
  await tell(core, "ü".repeat(1000));
  await settle();
  for (let second = 0; second < 6; second++) {
    // A byte more than its next ping brings.
    slow.pipe.bufferedBytes -= 12;
    core.pass(1000);
  }
  assertEquals([stuck.pipe.ends, slow.pipe.ends], [[], []]);
  slow.pipe.bufferedBytes -= 12;
  core.pass(1000);
  // Without a Close: it would only be one more thing that is not taken.
  assertEquals(stuck.pipe.ends, ["terminated"]);
  assertEquals(await ends.next(), [stuck.connection.id, undefined]);
  assertEquals([slow.pipe.ends, idle.pipe.ends], [[], []]);
  assertEquals(slow.pipe.records.at(-1), { type: 6 });
});

Deno.test("HubConnection notices what its client takes while it is sent more", async () => {
  const { hub, tell } = stallingHub();
  const limits = { maximumBufferedBytes: 20_000, transportSendTimeout: 5000 };
  await using core = new HubCore(hub, limits);
  const { pipe } = await core.connect();
  pipe.stuck = true;
  // At every look more waits than at the one before, and once in three seconds a bit was taken.
  for (let second = 0; second < 12; second++) {
    tell(core, "x".repeat(1000));
    if (second % 3 === 2) pipe.bufferedBytes -= 100;
    await settle();
    core.pass(1000);
  }
  assertEquals(pipe.ends, []);
  // Asking what is unsent because the limit is near is a look as well.
  for (let second = 0; second < 12; second++) {
    if (second % 3 === 2) pipe.bufferedBytes -= 3000;
    tell(core, "x".repeat(900));
    await settle();
    core.pass(1000);
  }
  assertEquals(pipe.ends, []);
  core.pass(6000);
  assertEquals(pipe.ends, ["terminated"]);
});

Deno.test("HubConnection does not count time in which nothing waits", async () => {
  const { hub, tell } = stallingHub();
  await using core = new HubCore(hub, { transportSendTimeout: 5000 });
  const { pipe } = await core.connect();
  for (let round = 0; round < 3; round++) {
    pipe.stuck = true;
    await tell(core, "x");
    core.pass(4000);
    pipe.stuck = false;
    pipe.bufferedBytes = 0;
    await settle();
    core.pass(10_000);
  }
  assertEquals(pipe.ends, []);
});

Deno.test("HubConnection lets a client whose socket is stuck come back on another", async () => {
  const { hub, ends, tell } = stallingHub();
  await using core = new HubCore(hub, { transportSendTimeout: 5000, disconnectTimeout: 15_000 });
  const { pipe, connection } = core.admit(undefined, true);
  pipe.send({ protocol: "json", version: 2 });
  await pipe.next();
  await settle();
  pipe.stuck = true;
  await tell(core, "kept");
  core.pass(7000);
  assertEquals(pipe.ends, ["terminated"]);
  assert(connection.isStateful);
  // The socket comes back to life: what it still says, and its goodbye, does not count.
  pipe.sendText('{"type":1,"target":"got","arguments":["late"]}\x1e');
  pipe.vanish();
  assert(connection.isStateful);
  const next = new MemoryPipe();
  next.stuck = true;
  next.returnTo(connection);
  assertEquals(next.records, [
    { type: 9, sequenceId: 1 },
    { type: 1, target: "got", arguments: ["kept"] },
  ]);
  // How long the first socket was stuck does not count.
  core.pass(6000);
  assertEquals(next.ends, []);
  core.pass(1000);
  assertEquals(next.ends, ["terminated"]);
  core.pass(20_000);
  assertEquals((await ends.next())[0], connection.id);
});
