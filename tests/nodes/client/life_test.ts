import { HubConnectionState } from "@microsoft/signalr";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, Events, until } from "../../kit/wait.ts";

type Context = HubContext<{ got(value: unknown): void }>;

/** A hub whose `wait` runs until the test ends it, and that reports how connections end. */
function waitingHub() {
  const started = new Events<PromiseWithResolvers<string>>();
  const ends = new Events<Error | undefined>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      async sendAndLeave({ clients, abort }: Context) {
        await clients.caller.send("got", "bye");
        abort();
      },
      wait(_context: Context) {
        const call = Promise.withResolvers<string>();
        started.add(call);
        return call.promise;
      },
    },
    disconnected: (_context, error) => ends.add(error),
  });
  return { hub, started, ends };
}

onEachServer("abort() closes the client for good, after what was sent before", async (serve) => {
  const { hub, ends } = waitingHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using client = await SignalRClient.connect(node.url("/hub"), { reconnectDelays: [0, 0] });
  await assertRejects(() => client.invoke("sendAndLeave"), Error);
  assertEquals(await client.got.next(), ["bye"]);
  // Without allowReconnect: it does not try, although it could.
  assertEquals(await client.events.next(), { kind: "closed", error: undefined });
  assertEquals(await ends.next(), undefined);
}).forEach((test) => Deno.test(test));

onEachServer(
  "drain() lets a running call finish, then asks its client to reconnect",
  async (serve) => {
    const { hub, started, ends } = waitingHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using idle = await SignalRClient.connect(node.url("/hub"), { reconnectDelays: [60_000] });
    await using busy = await SignalRClient.connect(node.url("/hub"), { reconnectDelays: [60_000] });
    const answer = busy.invoke("wait");
    const call = await started.next();
    let drained = false;
    const drain = node.server.drain({ interval: 0 }).then(() => drained = true);
    // The idle one goes at once.
    assertEquals(await idle.events.next(), { kind: "reconnecting", error: undefined });
    assertEquals(await ends.next(), undefined);
    assertEquals([drained, busy.events.all.length], [false, 0]);
    const late = SignalRClient.make(node.url("/hub"));
    const refusal = await assertRejects(() => late.connection.start(), Error);
    assertMatch(refusal.message, /Status code '503'/);
    call.resolve("finished");
    assertEquals(await answer, "finished");
    assertEquals(await busy.events.next(), { kind: "reconnecting", error: undefined });
    await bounded(drain);
    // Idempotent, and close() after it too.
    await node.server.drain();
  },
).forEach((test) => Deno.test(test));

onEachServer("drain() closes a connection whose call outlasts its timeout", async (serve) => {
  const { hub, started } = waitingHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using client = await SignalRClient.connect(node.url("/hub"));
  const answer = assertRejects(() => client.invoke("wait"), Error);
  await started.next();
  await bounded(node.server.drain({ timeout: 0 }));
  await answer;
  assertEquals(await client.events.next(), { kind: "closed", error: undefined });
}).forEach((test) => Deno.test(test));

onEachServer("close() ends every client at once, and cuts a drain short", async (serve) => {
  const { hub, started, ends } = waitingHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using first = await SignalRClient.connect(node.url("/hub"));
  await using second = await SignalRClient.connect(node.url("/hub"), { reconnectDelays: [60_000] });
  const answers = [first, second].map((client) =>
    assertRejects(() => client.invoke("wait"), Error)
  );
  await started.take(2);
  const drain = node.server.drain();
  await bounded(node.server.close());
  await bounded(drain);
  assertEquals(node.server.status, "closed");
  await Promise.all(answers);
  assertEquals(await first.events.next(), { kind: "closed", error: undefined });
  assertEquals(await second.events.next(), { kind: "reconnecting", error: undefined });
  assertEquals(await ends.take(2), [undefined, undefined]);
  await node.server.close();
}).forEach((test) => Deno.test(test));

onEachServer(
  "shutdown() of the HTTP server before close() ends sockets itself, and clients reconnect",
  async (serve) => {
    const { hub, ends } = waitingHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using client = await SignalRClient.connect(node.url("/hub"), {
      reconnectDelays: [60_000],
    });
    await bounded(node.http.shutdown());
    // The platform's own words: it does not ask the hub server first.
    assertEquals(await client.events.next(), {
      kind: "reconnecting",
      error: "WebSocket closed with status code: 1001 (Server shutting down).",
    });
    assertEquals(await ends.next(), undefined);
  },
).forEach((test) => Deno.test(test));

/** Sockets that count the pings of the server. */
function countingSockets(pings: Events<void>): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL) {
      super(url);
      this.addEventListener("message", ({ data }) => {
        if (data === '{"type":6}\x1e') pings.add();
      });
    }
  };
}

onEachServer(
  "pings of both sides keep a connection longer than either's patience",
  async (serve) => {
    const { hub } = waitingHub();
    await using node = await serve({
      hubs: { "/hub": hub },
      keepAliveInterval: 500,
      clientTimeoutInterval: 2500,
    });
    const pings = new Events<void>();
    await using client = await SignalRClient.connect(node.url("/hub"), {
      serverTimeout: 2500,
      keepAlive: 500,
      webSocket: countingSockets(pings),
    });
    await pings.take(4);
    assertEquals(client.connection.state, HubConnectionState.Connected);
    assertEquals(await client.invoke("echo", 1), 1);
  },
).forEach((test) => Deno.test(test));

onEachServer("a client gives up a node that does not ping it", async (serve) => {
  const { hub, ends } = waitingHub();
  await using node = await serve({ hubs: { "/hub": hub }, keepAliveInterval: 2_000_000_000 });
  await using client = await SignalRClient.connect(node.url("/hub"), { serverTimeout: 300 });
  assertEquals(await client.events.next(), {
    kind: "closed",
    error: "Server timeout elapsed without receiving a message from the server.",
  });
  assertEquals(await ends.next(), undefined);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a node gives up a client that has stopped pinging, and lets it reconnect",
  async (serve) => {
    const { hub, ends } = waitingHub();
    await using node = await serve({ hubs: { "/hub": hub }, clientTimeoutInterval: 500 });
    // The client's one ping is right behind the handshake.
    await using client = await SignalRClient.connect(node.url("/hub"), {
      keepAlive: 2_000_000_000,
      reconnectDelays: [0],
    });
    assertEquals(await client.events.next(), {
      kind: "reconnecting",
      error: "Server returned an error on close: Connection closed with an error.",
    });
    assertEquals((await client.events.next()).kind, "reconnected");
    assertEquals((await ends.next())?.name, "OperationCanceledException");
    await until(() => client.connection.state === HubConnectionState.Connected);
    assert(client.id !== "");
  },
).forEach((test) => Deno.test(test));
