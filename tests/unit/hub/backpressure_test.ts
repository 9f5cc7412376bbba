import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const RECONNECT = { type: 7, allowReconnect: true };

/** A hub that puts everyone into group `g`, and whose `disconnected` takes until `leave` resolves. */
function groupHub(leave: Promise<void> = Promise.resolve()) {
  const ends = new Events<Error | undefined>();
  const started = new Events<PromiseWithResolvers<void>>();
  const hub = defineHub({
    methods: {
      wait(_context: Context) {
        const running = Promise.withResolvers<void>();
        started.add(running);
        return running.promise;
      },
    },
    connected: ({ groups, connectionId }: Context) => groups.add(connectionId, "g"),
    async disconnected(_context, error) {
      ends.add(error);
      await leave;
    },
  });
  return { hub, ends, started };
}

/** The values of the `got` calls among records. */
function valuesOf(records: readonly unknown[]): unknown[] {
  return records.flatMap((record) => {
    const { target, arguments: values } = record as { target?: string; arguments?: unknown[] };
    return target === "got" ? values ?? [] : [];
  });
}

/** Sends to group `g` from outside the hub. */
function sendToGroup(core: HubCore, value: unknown): Promise<void> {
  const clients = core.live.clients as unknown as Context["clients"];
  return clients.group("g").send("got", value);
}

Deno.test("send() to a client beyond maximumBufferedBytes closes it with allowReconnect, and delays nobody", async () => {
  const { hub, ends } = groupHub();
  await using core = new HubCore(hub, { maximumBufferedBytes: 5000 });
  const slow = await core.connect();
  const quick = await core.connect();
  slow.pipe.stuck = true;
  for (let n = 0; n < 200; n++) {
    sendToGroup(core, n);
    await settle();
    if (slow.pipe.ends.length > 0) break;
  }
  const sent = valuesOf(quick.pipe.records).length;
  assertEquals(valuesOf(quick.pipe.records), [...Array(sent).keys()]);
  // Everything up to the limit, then the Close and nothing else: a gap would be silent.
  assertEquals(valuesOf(slow.pipe.records), [...Array(sent - 1).keys()]);
  assertEquals(slow.pipe.records.at(-1), RECONNECT);
  assertEquals(slow.pipe.ends, [1000, "terminated"]);
  assert(slow.pipe.bufferedBytes <= 5000 + 100);
  assertEquals(
    (await ends.next())?.message,
    "The client reads too slowly: too many bytes are unsent.",
  );
  await sendToGroup(core, "after");
  await settle();
  assertEquals(valuesOf(quick.pipe.records).at(-1), "after");
  assertEquals(quick.pipe.ends, []);
});

Deno.test("send() counts what waits within one turn against maximumBufferedBytes", async () => {
  await using core = new HubCore(groupHub().hub, { maximumBufferedBytes: 10_000 });
  const { pipe } = await core.connect();
  const value = "x".repeat(1000);
  for (let n = 0; n < 20; n++) sendToGroup(core, value);
  await settle();
  // The first left at once; what was queued behind it is dropped for the Close.
  assertEquals(valuesOf(pipe.records), [value]);
  assertEquals(pipe.records.at(-1), RECONNECT);
});

Deno.test("send() does not close a client whose transport keeps up, however much it is sent", async () => {
  await using core = new HubCore(groupHub().hub, { maximumBufferedBytes: 10_000 });
  const { pipe } = await core.connect();
  for (let n = 0; n < 100; n++) {
    sendToGroup(core, "x".repeat(1000));
    await settle();
  }
  assertEquals(valuesOf(pipe.records).length, 100);
  assertEquals(pipe.ends, []);
});

Deno.test("a client that reads too slowly is out of every group before disconnected returns", async () => {
  const leave = Promise.withResolvers<void>();
  const { hub, ends } = groupHub(leave.promise);
  const backplane = new RecordingBackplane();
  await using core = new HubCore(
    hub,
    { maximumBufferedBytes: 100, unsubscribeDelay: 0 },
    backplane,
  );
  const { connection, pipe } = await core.connect();
  pipe.stuck = true;
  assert(backplane.wanted.has("hub:group:g"));
  for (let n = 0; n < 3; n++) sendToGroup(core, "x".repeat(200));
  await ends.next();
  core.pass(1000);
  assertEquals(backplane.wanted.has("hub:group:g"), false);
  // The connection itself is still known while its hub is told.
  assert(backplane.wanted.has(`hub:connection:${connection.id}`));
  leave.resolve();
  await bounded(connection.finished);
  core.pass(1000);
  assertEquals(backplane.wanted.has(`hub:connection:${connection.id}`), false);
});

Deno.test("a client that sends more than maximumQueuedReceiveBytes ahead is closed with allowReconnect", async () => {
  const { hub, ends, started } = groupHub();
  await using core = new HubCore(hub, { maximumQueuedReceiveBytes: 10_000 });
  const { pipe } = await core.connect();
  const wait = { type: 1, target: "wait", arguments: [] };
  pipe.send(wait, wait);
  const running = await started.next();
  const record = `${JSON.stringify({ ...wait, headers: { pad: "x".repeat(950) } })}\x1e`;
  for (let n = 0; n < 9; n++) pipe.sendText(record);
  assertEquals(pipe.ends, []);
  for (let n = 0; n < 2; n++) pipe.sendText(record);
  assertEquals(pipe.ends, [1000]);
  assertEquals(pipe.records.at(-1), RECONNECT);
  assertEquals((await ends.next())?.message, "Too many bytes are waiting to be dispatched.");
  running.resolve();
  await settle();
  // Nothing of what was waiting is begun.
  assertEquals(started.all.length, 1);
});

Deno.test("a client that floods together with its handshake: connected and disconnected run, or neither", async () => {
  const happened: string[] = [];
  const ended = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {},
    connected: () => happened.push("connected"),
    disconnected: (_context, error) => {
      happened.push(`disconnected: ${error?.message}`);
      ended.resolve();
    },
  });
  await using core = new HubCore(hub, { maximumQueuedReceiveBytes: 10_000 });
  const { pipe } = core.admit();
  pipe.sendText(`{"protocol":"json","version":1}\x1e${"x".repeat(20_000)}`);
  await bounded(ended.promise);
  assertEquals(happened, [
    "connected",
    "disconnected: Too many bytes are waiting to be dispatched.",
  ]);
});

Deno.test("a client that sends much ahead is paused, and resumed when it has been dispatched", async () => {
  const { hub, started } = groupHub();
  const limits = { maximumReceiveMessageSize: null, maximumQueuedReceiveBytes: 100_000 };
  await using core = new HubCore(hub, limits);
  const { pipe } = await core.connect();
  const wait = { type: 1, target: "wait", arguments: [] };
  pipe.send(wait, { ...wait, target: "WAIT" });
  const pad = { ...wait, headers: { pad: "x".repeat(40_000) } };
  pipe.send(pad);
  assertEquals(pipe.paused, false);
  pipe.send(pad);
  assertEquals(pipe.paused, true);
  for (let call = 0; call < 4; call++) (await started.next()).resolve();
  await settle();
  assertEquals(pipe.paused, false);
  assertEquals(pipe.ends, []);
});

Deno.test("send() sends the first frame of a turn at once and the rest of it as one", async () => {
  await using core = new HubCore(groupHub().hub);
  const { pipe } = await core.connect();
  const before = pipe.writes.length;
  for (let n = 0; n < 10; n++) {
    sendToGroup(core, n);
    assertEquals(pipe.writes.length, before + 1);
  }
  await settle();
  assertEquals(pipe.writes.length, before + 2);
  assertEquals(valuesOf(pipe.records), [...Array(10).keys()]);
});

Deno.test("send() joins at most 64 KiB, and a larger frame travels alone", async () => {
  await using core = new HubCore(groupHub().hub);
  const { pipe } = await core.connect();
  const before = pipe.writes.length;
  const values = Array.from({ length: 50 }, (_, n) => `${n}`.padEnd(3000, "ü"));
  for (const value of values) sendToGroup(core, value);
  const large = "x".repeat(100_000);
  sendToGroup(core, large);
  sendToGroup(core, "small");
  await settle();
  assertEquals(valuesOf(pipe.records), [...values, large, "small"]);
  const sizes = pipe.writes.slice(before).map((text) => new TextEncoder().encode(text).length);
  assert(sizes.filter((size) => size <= 65_536).length === sizes.length - 1, `${sizes}`);
  // 300,000 bytes need at least five writes, and no more than twice as many.
  assert(sizes.length >= 6 && sizes.length <= 12, `${sizes}`);
});
