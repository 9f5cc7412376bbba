/**
 * Clients that read, and are sent much: they are not closed, and senders that can wait do.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { defineHub, type HubContext, type HubServerOptions } from "../../../mod.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { call, result } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";
import { bounded, Events } from "../../kit/wait.ts";

interface Client {
  got(value: unknown): void;
}
type Context = HubContext<Client>;

const RECONNECT = { type: 7, allowReconnect: true };

function start(options: HubServerOptions = {}) {
  const ends = new Events<string | undefined>();
  const hub = defineHub({
    methods: {
      large: (_context: Context, bytes: number) => "x".repeat(bytes),
      tell: ({ clients }: Context, value: unknown) => clients.caller.send("got", value),
    },
    connected: ({ groups, connectionId }: Context) => groups.add(connectionId, "g"),
    disconnected: (_context: Context, error) => ends.add(error?.message),
  });
  const core = new HubCore(hub, options);
  const clients = core.live.clients as unknown as Context["clients"];
  return { core, clients, ends, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() };
}

/** The client reads what waits for it, a part every turn, until it is told to stop. */
function reading({ pipe }: CoreClient, bytes: number): Disposable {
  pipe.stuck = true;
  const timer = setInterval(() => {
    pipe.bufferedBytes = Math.max(0, pipe.bufferedBytes - bytes);
  }, 0);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** How many `got` calls a client was sent. */
function heardBy({ pipe }: CoreClient): number {
  return pipe.records.filter((record) => (record as { target?: string }).target === "got").length;
}

Deno.test("a client that has taken everything takes one message larger than maximumBufferedBytes", async () => {
  await using node = start({ maximumBufferedBytes: 10_000 });
  const { core, clients } = node;
  const client = await core.connect();
  const { pipe, connection } = client;
  pipe.stuck = true;
  await settle();
  clients.group("g").send("got", "x".repeat(1_000_000));
  await settle();
  assertEquals(heardBy(client), 1);
  assertEquals(pipe.ends, []);
  // The next message finds more than the limit before it.
  clients.client(connection.id).send("got", 2);
  assertEquals(pipe.records.at(-1), RECONNECT);
  assertEquals(heardBy(client), 1);
});

Deno.test("a client that reads its state again gets a result larger than maximumBufferedBytes", async () => {
  await using node = start({ maximumBufferedBytes: 10_000 });
  const { pipe } = await node.core.connect();
  pipe.send(call("1", "large", 50_000));
  assertEquals(await pipe.next(), result("1", "x".repeat(50_000)));
  pipe.send(call("2", "large", 3));
  assertEquals(await pipe.next(), result("2", "xxx"));
  assertEquals(pipe.ends, []);
});

Deno.test("a client that may come back keeps its connection when one message is larger than its buffers", async () => {
  await using node = start({ maximumBufferedBytes: 10_000, statefulReconnectBufferSize: 1000 });
  const { core, clients } = node;
  const client = core.admit(undefined, true);
  const { pipe } = client;
  pipe.send({ protocol: "json", version: 2 });
  await pipe.next();
  await settle();
  pipe.stuck = true;
  clients.all.send("got", "x".repeat(100_000));
  // The client takes the message slowly, and cannot acknowledge it before.
  for (let second = 0; second < 10; second++) {
    pipe.bufferedBytes -= 8000;
    core.pass(1000);
  }
  pipe.bufferedBytes = 0;
  core.pass(4000);
  assertEquals(pipe.ends, []);
  pipe.send({ type: 8, sequenceId: 1 });
  core.pass(10_000);
  assertEquals(pipe.ends, []);
});

Deno.test("send() and invoke() refuse a message over maximumSendMessageSize before any client has it", async () => {
  await using node = start({ maximumSendMessageSize: 10_000 });
  const { core, clients } = node;
  const text = await core.connect();
  const binary = core.admit();
  binary.pipe.send({ protocol: "messagepack", version: 1 });
  await settle();
  const written = () => [text.pipe.writes.length, binary.pipe.writes.length];
  const before = written();
  const ids = [binary.connection.id, text.connection.id];
  // In JSON bytes are larger than in MessagePack.
  for (const value of ["x".repeat(10_000), "é".repeat(5000), new Uint8Array(8000)]) {
    for (const to of [clients.all, clients.group("g"), clients.clients(ids), clients.user("u")]) {
      const error = await assertRejects(() => to.send("got", value), RangeError);
      assert(
        /^Cannot send message: \d+ bytes are more than 10000 \(maximumSendMessageSize\)$/.test(
          error.message,
        ),
      );
    }
    for (const id of [text.connection.id, "elsewhere"]) {
      await assertRejects(() => clients.client(id).invoke("got" as never, value), RangeError);
    }
  }
  await settle();
  assertEquals(written(), before);
  await clients.client(text.connection.id).send("got", "x".repeat(9000));
  assertEquals(heardBy(text), 1);
});

Deno.test("3,000 awaited messages of 1 kB to one client that reads all arrive", async () => {
  await using node = start();
  const { core, clients, ends } = node;
  const client = await core.connect();
  using _reads = reading(client, 64 * 1024);
  for (const to of [clients.client(client.connection.id), clients.group("g")]) {
    for (let n = 0; n < 3000; n++) await to.send("got", "x".repeat(1000));
  }
  await settle();
  assertEquals(heardBy(client), 6000);
  assertEquals(ends.all, []);
});

Deno.test("3,000 calls whose results are 1 kB, sent at once by a client that reads, are all answered", async () => {
  await using node = start();
  const client = await node.core.connect();
  const { pipe } = client;
  using _reads = reading(client, 64 * 1024);
  const calls = Array.from({ length: 3000 }, (_, n) => call(`${n}`, "large", 1000));
  pipe.sendText(calls.map((call) => `${JSON.stringify(call)}\x1e`).join(""));
  while (pipe.records.length < 3001 && pipe.ends.length === 0) await delay(1);
  assertEquals(pipe.ends, []);
});

Deno.test("a message that nobody awaits does not wait: its slow client is closed at the limit", async () => {
  await using node = start();
  const { core, clients } = node;
  const client = await core.connect();
  client.pipe.stuck = true;
  for (let n = 0; n < 3000; n++) clients.client(client.connection.id).send("got", "x".repeat(1000));
  assertEquals(client.pipe.records.at(-1), RECONNECT);
  assert(heardBy(client) < 1100);
});

Deno.test("one slow member holds up no message for its group", async () => {
  await using node = start();
  const { core, clients } = node;
  const slow = await core.connect();
  const quick = await core.connect();
  slow.pipe.stuck = true;
  for (let n = 0; n < 2000; n++) await clients.group("g").send("got", "x".repeat(1000));
  await settle();
  assertEquals(heardBy(quick), 2000);
  assertEquals(slow.pipe.records.at(-1), RECONNECT);
});

Deno.test("a send waits for its slow client, until that client is closed", async () => {
  await using node = start();
  const { core, clients } = node;
  const { pipe, connection } = await core.connect();
  pipe.stuck = true;
  for (let n = 0; n < 250; n++) await clients.client(connection.id).send("got", "x".repeat(1000));
  let waits = true;
  const full = clients.client(connection.id).send("got", "x".repeat(20_000));
  full.then(() => waits = false);
  await delay(20);
  assert(waits);
  assertEquals(pipe.ends, []);
  core.pass(12_000);
  assertEquals(pipe.ends, ["terminated"]);
  await bounded(full);
});

Deno.test("a send waits no longer than transportSendTimeout for a client that takes a little", async () => {
  await using node = start({ transportSendTimeout: 20 });
  const { pipe, connection } = await node.core.connect();
  pipe.stuck = true;
  const to = node.clients.client(connection.id);
  await to.send("got", "x".repeat(300_000));
  assertEquals(pipe.ends, []);
});

Deno.test("a large message that is taken slowly closes no connection where only whole messages are reported", async () => {
  await using node = start({ transportSendTimeout: 5000 });
  const { core, clients } = node;
  const { pipe } = await core.connect();
  Object.assign(pipe, { reportsWholeFrames: true });
  pipe.stuck = true;
  clients.all.send("got", "x".repeat(1_000_000));
  core.pass(80_000);
  assertEquals(pipe.ends, []);
  // The client has taken it; a small message has its usual time.
  pipe.bufferedBytes = 0;
  core.pass(1000);
  clients.all.send("got", "small");
  await settle();
  core.pass(7000);
  assertEquals(pipe.ends, ["terminated"]);
});

Deno.test("pings and acks close no client that takes a message larger than maximumBufferedBytes", async () => {
  await using node = start({ keepAliveInterval: 5000, maximumBufferedBytes: 100_000 });
  const { core, clients } = node;
  for (const version of [1, 2]) {
    const { pipe } = core.admit(undefined, true);
    pipe.send({ protocol: "json", version });
    await pipe.next();
    await settle();
    pipe.stuck = true;
    clients.all.send("got", "x".repeat(1_000_000));
    pipe.send(call(undefined, "large", 1));
    const before = pipe.records.length;
    for (let second = 0; second < 11; second++) {
      pipe.bufferedBytes -= 80_000;
      core.pass(1000);
    }
    assertEquals([pipe.ends, pipe.records.length], [[], before]);
    pipe.bufferedBytes = 0;
    core.pass(1000);
    await settle();
    const types = pipe.records.slice(before).map((record) => (record as { type: number }).type);
    assertEquals(types.toSorted(), version === 1 ? [6] : [6, 8]);
    pipe.vanish();
  }
});

Deno.test("a loop of awaited sends to a client that closes its pipe lets the event loop turn", async () => {
  await using node = start({ transportSendTimeout: 20 });
  const { pipe, connection } = await node.core.connect();
  pipe.closing = true;
  let turned = false;
  const turn = setTimeout(() => turned = true, 0);
  let sent = 0;
  while (!turned && ++sent < 5000) {
    await node.clients.client(connection.id).send("got", "x".repeat(1000));
  }
  clearTimeout(turn);
  assert(turned, `${sent} sends before the event loop turned`);
  assert(sent < 500, `${sent} sends`);
});
