import { assertEquals } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import { defineHub, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call } from "../../kit/messages.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const PING = { type: 6 };
const RECONNECT = { type: 7, allowReconnect: true };

/** A hub whose method `wait` runs until the test ends it, and that reports how connections end. */
function waitingHub() {
  const disconnected = new Events<Error | undefined>();
  const started = new Events<PromiseWithResolvers<void>>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      wait(_context: Context) {
        const running = Promise.withResolvers<void>();
        started.add(running);
        return running.promise;
      },
    },
    disconnected: (_context, error) => disconnected.add(error),
  });
  return { hub, disconnected, started };
}

Deno.test("HubConnection.tick() ends a connection that does not shake hands in time", async () => {
  const { hub, disconnected } = waitingHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.sendText('{"protocol":"json","version":1}');
  core.pass(14_999);
  assertEquals(pipe.writes, []);
  core.pass(1);
  assertEquals(pipe.records, [{ error: "Handshake was canceled." }]);
  assertEquals(pipe.ends, [1000]);
  await connection.finished;
  assertEquals(disconnected.all, []);
});

Deno.test("HubConnection.tick() does not count the handshake's time after the handshake", async () => {
  await using core = new HubCore(waitingHub().hub);
  const { pipe } = await core.connect();
  core.pass(14_999);
  assertEquals(pipe.records, [{}]);
});

Deno.test("HubConnection.tick() pings every keepAliveInterval whatever else is sent", async () => {
  await using core = new HubCore(waitingHub().hub, { keepAliveInterval: 5000 });
  const { pipe } = await core.connect();
  core.pass(4000);
  pipe.send(call("1", "echo", 1));
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: 1 });
  assertEquals(pipe.records.length, 2);
  core.pass(1000);
  assertEquals(await pipe.next(), PING);
  core.pass(15_000);
  await settle();
  assertEquals(pipe.records.slice(3), [PING, PING, PING]);
  assertEquals(pipe.ends, []);
});

Deno.test("HubConnection.tick() never times out a client that has not pinged", async () => {
  await using core = new HubCore(waitingHub().hub, { keepAliveInterval: 2_000_000_000 });
  const { pipe } = await core.connect();
  pipe.send(call("1", "echo", 1));
  core.pass(3_600_000);
  assertEquals(pipe.ends, []);
});

Deno.test("HubConnection.tick() times out a client that has pinged and falls silent", async () => {
  const { hub, disconnected } = waitingHub();
  await using core = new HubCore(hub, { keepAliveInterval: 2_000_000_000, detailedErrors: true });
  const { pipe } = await core.connect();
  core.pass(100_000);
  pipe.send(PING);
  core.pass(29_000);
  // Every complete message counts; a piece of one does not.
  pipe.send(call("1", "echo", 1));
  pipe.sendText('{"type":6');
  core.pass(29_999);
  assertEquals(pipe.ends, []);
  core.pass(1);
  assertEquals(pipe.records.at(-1), {
    type: 7,
    error: "Connection closed with an error. OperationCanceledException: Client hasn't sent a " +
      "message/ping within the configured ClientTimeoutInterval.",
    allowReconnect: true,
  });
  assertEquals(pipe.ends, [1000]);
  assertEquals((await disconnected.next())?.name, "OperationCanceledException");
});

Deno.test("HubConnection.tick() stops the client's clock while nothing is read", async () => {
  const { hub, started } = waitingHub();
  const limits = { keepAliveInterval: 2_000_000_000, maximumQueuedReceiveBytes: 1000 };
  await using core = new HubCore(hub, limits);
  const { pipe } = await core.connect();
  // Neither the running call nor the first waiting call stops the clock. The size of the third call does.
  pipe.send(PING, call("1", "wait"), call("2", "echo", 2), call("3", "echo", "x".repeat(600)));
  assertEquals(pipe.paused, true);
  const first = await started.next();
  core.pass(100_000);
  assertEquals(pipe.ends, []);
  first.resolve();
  await settle();
  core.pass(29_999);
  assertEquals(pipe.ends, []);
  core.pass(1);
  assertEquals(pipe.ends, [1000]);
});

Deno.test("HubConnection.tick() counts the time of a running call that holds nothing up", async () => {
  const { hub, started } = waitingHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(PING, call("1", "wait"));
  const running = await started.next();
  core.pass(30_000);
  assertEquals(pipe.ends, [1000]);
  running.resolve();
});

Deno.test("HubConnection dispatches what came during connected after it, in order", async () => {
  const opened = Promise.withResolvers<void>();
  const calls: string[] = [];
  const hub = defineHub({
    methods: { note: (_context: Context, text: string) => void calls.push(text) },
    async connected({ clients }: Context) {
      await clients.caller.send("got", "hello");
      await opened.promise;
      calls.push("connected");
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = core.admit();
  pipe.sendText(
    '{"protocol":"json","version":1}\x1e{"type":1,"target":"note","arguments":["first"]}\x1e',
  );
  pipe.send({ type: 1, invocationId: "2", target: "note", arguments: ["second"] });
  assertEquals(await pipe.next(), {});
  assertEquals(await pipe.next(), { type: 1, target: "got", arguments: ["hello"] });
  assertEquals(calls, []);
  opened.resolve();
  assertEquals(await pipe.next(), { type: 3, invocationId: "2", result: null });
  assertEquals(calls, ["connected", "first", "second"]);
});

Deno.test("HubConnection.close() during connected calls disconnected once connected has resolved", async () => {
  const opened = Promise.withResolvers<void>();
  const calls: string[] = [];
  const hub = defineHub({
    methods: {},
    async connected({ signal }: Context) {
      await opened.promise;
      calls.push(`connected ${signal.aborted}`);
    },
    disconnected: (_context, error) => calls.push(`disconnected ${error}`),
  });
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "json", version: 1 });
  await pipe.next();
  pipe.vanish();
  pipe.vanish();
  await settle();
  assertEquals(calls, []);
  opened.resolve();
  await connection.finished;
  assertEquals(calls, ["connected true", "disconnected undefined"]);
});

Deno.test("HubConnection tells disconnected why it ended, once, with the connection still known", async () => {
  const ends = new Events<[id: string, error: string | undefined, member: boolean]>();
  const hub = defineHub({
    methods: {
      async join({ groups, connectionId }: Context) {
        await groups.add(connectionId, "g");
      },
      leave: ({ abort }: Context) => abort(),
    },
    async disconnected({ connectionId, groups, items }, error) {
      // A connection that is known joins here; one that is not would be asked for elsewhere.
      await groups.add(connectionId, "late");
      ends.add([connectionId, error?.message, items.size === 0]);
    },
  });
  await using core = new HubCore(hub);
  const cases: readonly (readonly [unknown, string | undefined])[] = [
    [{ type: 7 }, undefined],
    [{ type: 7, error: "" }, undefined],
    [{ type: 7, error: "client broke" }, "client broke"],
    [{ type: 1, target: "leave", arguments: [] }, undefined],
    [{}, "Missing required property 'type'."],
  ];
  for (const [message, error] of cases) {
    const { pipe, connection } = await core.connect();
    pipe.send(call("1", "join"));
    await pipe.next();
    pipe.send(message, { type: 7, error: "again" });
    pipe.vanish();
    assertEquals(await ends.next(), [connection.id, error, true]);
    await connection.finished;
  }
  assertEquals(ends.all.length, cases.length);
});

Deno.test("HubConnection.close() writes its Close last and nothing after it", async () => {
  await using core = new HubCore(waitingHub().hub);
  const { pipe, connection } = await core.connect();
  connection.write(new Frame('{"type":1,"target":"got","arguments":[1]}\x1e'));
  connection.write(new Frame('{"type":1,"target":"got","arguments":[2]}\x1e'));
  connection.close({ message: { type: 7, allowReconnect: true } });
  connection.write(new Frame('{"type":1,"target":"got","arguments":[3]}\x1e'));
  connection.send({ type: 6 });
  connection.close({ message: { type: 7 } });
  core.pass(60_000);
  await settle();
  assertEquals(pipe.records.slice(1), [
    { type: 1, target: "got", arguments: [1] },
    { type: 1, target: "got", arguments: [2] },
    RECONNECT,
  ]);
  assertEquals(pipe.ends, [1000]);
});

Deno.test("HubConnection ends with an error that connected throws, and does not call disconnected", async () => {
  const calls: string[] = [];
  const hub = defineHub({
    methods: { note: () => void calls.push("called") },
    connected() {
      throw new Error("no room");
    },
    disconnected: () => calls.push("disconnected"),
  });
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "json", version: 1 }, { type: 1, target: "note", arguments: [] });
  await connection.finished;
  assertEquals(pipe.records, [{}, { type: 7, error: "Connection closed with an error." }]);
  assertEquals(calls, []);
  assertEquals([...core.live.connections], []);
  assertEquals(core.log.lines, ["error Hub's connected failed: Error: no room"]);
});
