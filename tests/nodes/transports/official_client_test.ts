import { HubConnectionState } from "@microsoft/signalr";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, until } from "../../kit/wait.ts";
import { chatHub } from "./chat_hub.ts";
import { HTTP_TRANSPORTS, TRANSPORTS } from "../../kit/transport_names.ts";

for (const [name, transport] of Object.entries(HTTP_TRANSPORTS)) {
  onEachServer(`${name}: a client calls methods and gets results and errors`, async (serve) => {
    await using node = await serve({ hubs: { "/hub": chatHub().hub } });
    await using client = await SignalRClient.connect(node.url("/hub"), { transport });
    const values = [null, true, 1.5, "ü😀\n\r\n\u2028", [1, [2]], { a: { b: null } }];
    for (const value of values) assertEquals(await client.invoke("echo", value), value);
    const large = "x".repeat(30_000);
    assertEquals(await client.invoke("echo", large), large);
    const error = await assertRejects(() => client.invoke("fail", "no way"), Error);
    assert(error.message.endsWith("HubException: no way"), error.message);
  }).forEach((test) => Deno.test(test));

  onEachServer(
    `${name}: a client gets what is sent to it, in order, however much in a turn`,
    async (serve) => {
      await using node = await serve({ hubs: { "/hub": chatHub().hub } });
      await using client = await SignalRClient.connect(node.url("/hub"), { transport });
      await client.invoke("burst", 1000, 500);
      const got = await client.got.take(1000);
      assertEquals(got.map(([n]) => n), [...Array(1000).keys()]);
      // Larger than one piece of an answer.
      await client.invoke("burst", 1, 900_000);
      assertEquals((await client.got.next())[1], "x".repeat(900_000));
      const items: unknown[] = [];
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      client.connection.stream("count", 100).subscribe({
        next: (item) => items.push(item),
        complete: resolve,
        error: reject,
      });
      await bounded(promise);
      assertEquals(items, [...Array(100).keys()]);
    },
  ).forEach((test) => Deno.test(test));

  onEachServer(`${name}: clients of two nodes reach each other's groups`, async (serve) => {
    const bus = new MemoryBus();
    await using first = await serve({
      hubs: { "/hub": chatHub().hub },
      backplane: new MemoryBackplane(bus),
    });
    await using second = await serve({
      hubs: { "/hub": chatHub().hub },
      backplane: new MemoryBackplane(bus),
    });
    await using ann = await SignalRClient.connect(first.url("/hub"), { transport });
    await using bob = await SignalRClient.connect(second.url("/hub"), { transport });
    await using eve = await SignalRClient.connect(second.url("/hub"), { transport });
    await ann.invoke("join", "room");
    await bob.invoke("join", "room");
    await ann.invoke("tell", "room", "from ann");
    await bob.invoke("tell", "room", "from bob");
    await eve.invoke("tellAll", "from eve");
    const expected = [["from ann"], ["from bob"], ["from eve"]];
    assertEquals([await ann.got.take(3), await bob.got.take(3)], [expected, expected]);
    assertEquals(await eve.got.next(), ["from eve"]);
  }).forEach((test) => Deno.test(test));

  onEachServer(
    `${name}: the request that opened the connection is what methods see`,
    async (serve) => {
      await using node = await serve({
        hubs: { "/hub": chatHub().hub },
        authenticate(request) {
          const [, header] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
          const id = header ?? new URL(request.url).searchParams.get("access_token");
          return id === null ? new Response(null, { status: 401 }) : { id };
        },
      });
      const url = node.url("/hub?room=blue");
      const headers = { "x-mine": "yes" };
      await using client = await SignalRClient.connect(url, { transport, token: "ann", headers });
      assertEquals(await client.invoke("whoami"), ["ann", client.id, "blue", "yes"]);
      const stranger = SignalRClient.make(url, { transport });
      await assertRejects(() => stranger.connection.start(), Error, "Status code '401'");
    },
  ).forEach((test) => Deno.test(test));

  onEachServer(`${name}: stop() ends the connection on the server too`, async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using client = await SignalRClient.connect(node.url("/hub"), { transport });
    const { id } = client;
    await client.connection.stop();
    assertEquals(await client.events.next(), { kind: "closed", error: undefined });
    assertEquals(await ends.next(), { id, error: undefined });
  }).forEach((test) => Deno.test(test));

  onEachServer(`${name}: abort() ends the client for good`, async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const options = { transport, reconnectDelays: [0, 0] };
    await using client = await SignalRClient.connect(node.url("/hub"), options);
    const { id } = client;
    await assertRejects(() => client.invoke("leave"), Error);
    assertEquals(await client.events.next(), { kind: "closed", error: undefined });
    assertEquals(await ends.next(), { id, error: undefined });
  }).forEach((test) => Deno.test(test));

  onEachServer(`${name}: a client that is told to comes back with another id`, async (serve) => {
    const { hub, waiting, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub }, maximumQueuedReceiveBytes: 100 });
    const options = { transport, reconnectDelays: [0] };
    await using client = await SignalRClient.connect(node.url("/hub"), options);
    const { id } = client;
    const lost = assertRejects(() => client.invoke("wait"), Error);
    await waiting.next();
    // One waits for its turn; what comes behind it is more than may wait: closed with leave to reconnect.
    for (const text of ["first", "x".repeat(200)]) await client.connection.send("echo", text);
    await lost;
    assertEquals((await client.events.next()).kind, "reconnecting");
    assertEquals(await client.events.next(), { kind: "reconnected", id: client.id });
    assertNotEquals(client.id, id);
    assertEquals((await ends.next()).error, "Too many bytes are waiting to be dispatched.");
    assertEquals(await client.invoke("echo", "again"), "again");
  }).forEach((test) => Deno.test(test));

  onEachServer(
    `${name}: drain() lets a call finish, then asks the client to reconnect`,
    async (serve) => {
      const { hub, waiting } = chatHub();
      await using node = await serve({ hubs: { "/hub": hub } });
      const options = { transport, reconnectDelays: [60_000] };
      await using idle = await SignalRClient.connect(node.url("/hub"), options);
      await using busy = await SignalRClient.connect(node.url("/hub"), options);
      const answer = busy.invoke("wait");
      const call = await waiting.next();
      const drain = node.server.drain({ interval: 0 });
      assertEquals((await idle.events.next()).kind, "reconnecting");
      assertEquals(busy.connection.state, HubConnectionState.Connected);
      const late = SignalRClient.make(node.url("/hub"), { transport });
      await assertRejects(() => late.connection.start(), Error, "Status code '503'");
      call.resolve("finished");
      assertEquals(await answer, "finished");
      assertEquals((await busy.events.next()).kind, "reconnecting");
      await bounded(drain);
    },
  ).forEach((test) => Deno.test(test));

  onEachServer(
    `${name}: close() ends clients at once, and the HTTP server can shut down`,
    async (serve) => {
      const { hub, ends } = chatHub();
      await using node = await serve({ hubs: { "/hub": hub } });
      const options = { transport, reconnectDelays: [60_000] };
      await using client = await SignalRClient.connect(node.url("/hub"), options);
      await bounded(node.server.close());
      await bounded(node.http.shutdown());
      assertEquals((await client.events.next()).kind, "reconnecting");
      assertEquals((await ends.next()).error, undefined);
    },
  ).forEach((test) => Deno.test(test));

  onEachServer(
    `${name}: a client lives longer than pings and timeouts alone would allow`,
    async (serve) => {
      await using node = await serve({
        hubs: { "/hub": chatHub().hub },
        keepAliveInterval: 500,
        clientTimeoutInterval: 1500,
        longPolling: { pollTimeout: 700 },
      });
      await using client = await SignalRClient.connect(node.url("/hub"), {
        transport,
        keepAlive: 400,
        serverTimeout: 2500,
      });
      // Each tick is a second at least.
      const heartbeats = performance.now() + 3500;
      await until(() => performance.now() > heartbeats);
      assertEquals(client.connection.state, HubConnectionState.Connected);
      assertEquals(await client.invoke("echo", 1), 1);
      assertEquals(client.events.all, []);
    },
  ).forEach((test) => Deno.test(test));
}

onEachServer(
  "a client falls back to the next transport when the first is refused",
  async (serve) => {
    const { WebSockets, ServerSentEvents, LongPolling } = TRANSPORTS;
    const all = WebSockets | ServerSentEvents | LongPolling;
    // As behind a proxy that lets no WebSockets, or no events, through. At a status from 500 on the
    // client's `eventsource` would go on trying by itself, with a timer that outlives the client.
    for (const refused of [["websocket"], ["websocket", "text/event-stream"]]) {
      const used: string[] = [];
      await using node = await serve({
        hubs: { "/hub": chatHub().hub },
        authenticate({ method, headers }) {
          if (method !== "GET") return undefined;
          const kind = headers.get("upgrade") ?? headers.get("accept") ?? "";
          used.push(kind);
          return refused.includes(kind) ? new Response(null, { status: 403 }) : undefined;
        },
      });
      await using client = await SignalRClient.connect(node.url("/hub"), { transport: all });
      assertEquals(await client.invoke("echo", "through"), "through");
      assertEquals(used.slice(0, refused.length), refused);
    }
  },
).forEach((test) => Deno.test(test));

onEachServer("a client is told which transports there are, and why none is left", async (serve) => {
  await using node = await serve({
    hubs: { "/hub": chatHub().hub },
    transports: ["LongPolling"],
  });
  const { WebSockets, LongPolling } = TRANSPORTS;
  const client = SignalRClient.make(node.url("/hub"), { transport: WebSockets });
  await assertRejects(
    () => client.connection.start(),
    Error,
    "LongPolling failed: Error: 'LongPolling' is disabled by the client.",
  );
  await using other = await SignalRClient.connect(node.url("/hub"), {
    transport: WebSockets | LongPolling,
  });
  assertEquals(await other.invoke("echo", 1), 1);
}).forEach((test) => Deno.test(test));
