/**
 * What upstream's HttpConnectionDispatcherTests show and no other test of ours does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext, type TransportName } from "../../../mod.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { chatHub } from "../transports/chat_hub.ts";
import { RawSocket } from "../../kit/socket.ts";
import { rawFetch } from "../../kit/http.ts";
import { RawClient } from "./raw_client.ts";
import { call, invocation, uploading } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

const HANDSHAKE = '{"protocol":"json","version":1}\x1e';
const PARTING = { type: 1, target: "got", arguments: ["still here"] };

/** A hub whose method goes on when its client has gone, until the test lets it end. */
function patientHub() {
  const running = new Events<PromiseWithResolvers<void>>();
  const aborted = new Events<string>();
  const ends = new Events<string>();
  const begun = new Events<unknown>();
  const failed = new Events<string>();
  const hub = defineHub({
    methods: {
      async read({ connectionId }: Context, items: AsyncIterable<unknown>) {
        try {
          for await (const item of items) begun.add(item);
        } catch {
          failed.add(connectionId);
        }
      },
      async stay({ clients, connectionId, signal }: Context) {
        const released = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => aborted.add(connectionId), { once: true });
        running.add(released);
        await released.promise;
        await clients.others.send("got", "still here");
      },
    },
    disconnected: ({ connectionId }: Context) => ends.add(connectionId),
  });
  return { hub, running, aborted, begun, failed, ends };
}

/** Sends records as a client, and returns what lets that go for good. */
type Begin = (port: number, ...records: readonly unknown[]) => Promise<() => Promise<unknown>>;

const textOf = (records: readonly unknown[]) =>
  records.map((record) => `${JSON.stringify(record)}\x1e`).join("");

/** How a client of each transport comes and goes. */
const LEAVING: Readonly<Record<TransportName, Begin>> = {
  async WebSockets(port, ...records) {
    const client = await RawClient.connect(port);
    await client.send(...records);
    return async () => {
      await client.socket.sendClose(1000);
      await client.closed();
      client[Symbol.dispose]();
    };
  },
  async ServerSentEvents(port, ...records) {
    const connection = await PollingPeer.negotiate(port);
    const stream = await connection.openUnread();
    await connection.post(HANDSHAKE + textOf(records));
    return () => Promise.resolve(stream.close());
  },
  async LongPolling(port, ...records) {
    const connection = await PollingPeer.connect(port);
    await connection.post(textOf(records));
    return () => connection.send("DELETE");
  },
};

for (const [name, begin] of Object.entries(LEAVING)) {
  onEachServer(`${name}: a call outlives its connection, and is told so`, async (serve) => {
    const { hub, running, aborted, ends } = patientHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    using witness = await RawClient.connect(node.port);
    const leave = await begin(node.port, { type: 1, target: "stay", arguments: [] });
    const call = await running.next();
    assertEquals(aborted.all, []);
    await leave();
    const id = await aborted.next();
    // The end of the connection does not wait for the call.
    assertEquals(await ends.next(), id);
    call.resolve();
    assertEquals(await witness.next(), PARTING);
  }).forEach((test) => Deno.test(test));

  onEachServer(`${name}: a call that waits for its client ends with it`, async (serve) => {
    const { hub, begun, failed, ends } = patientHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const item = { type: 2, invocationId: "s", item: "first" };
    const leave = await begin(node.port, uploading("1", "read", ["s"]), item);
    assertEquals(await begun.next(), "first");
    assertEquals(failed.all, []);
    await leave();
    const id = await failed.next();
    assertEquals(await ends.next(), id);
  }).forEach((test) => Deno.test(test));
}

onEachServer("a method sees the request of the first poll while no poll waits", async (serve) => {
  const seen = new Events<string | null>();
  const hub = defineHub({
    methods: {
      look({ request }: Context) {
        seen.add(new URL(request.url).pathname);
        seen.add(request.headers.get("x-mine"));
      },
    },
  });
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.negotiate(node.port);
  await connection.poll({ headers: { "x-mine": "first" } });
  await connection.post(HANDSHAKE);
  await connection.poll({ headers: { "x-mine": "second" } });
  await connection.invoke("look");
  assertEquals(await seen.take(2), ["/hub", "first"]);
  await connection.send("DELETE");
}).forEach((test) => Deno.test(test));

const SUBSETS: readonly (readonly TransportName[])[] = [
  ["WebSockets"],
  ["ServerSentEvents"],
  ["LongPolling"],
  ["WebSockets", "ServerSentEvents"],
  ["WebSockets", "LongPolling"],
  ["ServerSentEvents", "LongPolling"],
];

onEachServer("a node that serves some transports refuses each of the others", async (serve) => {
  for (const transports of SUBSETS) {
    await using node = await serve({ hubs: { "/hub": chatHub().hub }, transports });
    const refused = (name: TransportName, status: number, text: string) => {
      const expected = transports.includes(name)
        ? ""
        : `${name} transport not supported by this end point type`;
      assertEquals([text, status === 404], [expected, expected !== ""], `${name} of ${transports}`);
    };
    const { response, socket } = await RawSocket.request(node.port, "/hub");
    refused("WebSockets", response.status, response.body);
    socket?.[Symbol.dispose]();
    const polled = await (await PollingPeer.negotiate(node.port)).poll();
    refused("LongPolling", polled.status, polled.text);
    const { url } = await PollingPeer.negotiate(node.port);
    const events = await fetch(url, { headers: { accept: "text/event-stream" } });
    const streams = events.status === 200;
    refused("ServerSentEvents", events.status, streams ? "" : await events.text());
    if (streams) await events.body?.cancel();
  }
}).forEach((test) => Deno.test(test));

onEachServer(
  "of several polls at once the last is served, and the others end with 204",
  async (serve) => {
    const { hub } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const connection = await PollingPeer.connect(node.port);
    const polls = [connection.poll(), connection.poll(), connection.poll()];
    // Which of them comes last is the network's business.
    const first = await Promise.race(polls);
    assertEquals(first, { status: 204, text: "" });
    await connection.invoke("tellAll", "news");
    const answers = (await bounded(Promise.all(polls))).map(({ status }) => status);
    assertEquals(answers.toSorted(), [200, 204, 204]);
    assertEquals((await connection.send("DELETE")).status, 202);
  },
).forEach((test) => Deno.test(test));

onEachServer("polls are not answered with pings", async (serve) => {
  const { hub } = chatHub();
  const longPolling = { pollTimeout: 1000 };
  await using node = await serve({ hubs: { "/hub": hub }, keepAliveInterval: 1, longPolling });
  const connection = await PollingPeer.connect(node.port);
  for (let n = 0; n < 2; n++) assertEquals(await connection.poll(), { status: 200, text: "" });
  await connection.send("DELETE");
}).forEach((test) => Deno.test(test));

onEachServer("DELETE between two polls ends the connection in order", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.connect(node.port);
  assertEquals(await connection.send("DELETE"), { status: 202, text: "" });
  assertEquals((await ends.next()).error, undefined);
  assertEquals((await connection.poll()).status, 404);
}).forEach((test) => Deno.test(test));

onEachServer("DELETE ends a poll, though a call of its connection never ends", async (serve) => {
  const { hub, waiting, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.connect(node.port);
  await connection.invoke("wait");
  const hanging = await waiting.next();
  const polls = [connection.poll(), connection.poll()];
  // The first to come ends when the second is there, which then waits.
  await bounded(Promise.race(polls));
  assertEquals(await connection.send("DELETE"), { status: 202, text: "" });
  for (const { status } of await bounded(Promise.all(polls))) assertEquals(status, 204);
  assertEquals((await ends.next()).error, undefined);
  assertEquals((await connection.poll()).status, 404);
  hanging.resolve(undefined);
}).forEach((test) => Deno.test(test));

onEachServer("a poll is answered while a POST waits for a hub that is busy", async (serve) => {
  const { hub, waiting } = chatHub();
  await using node = await serve({
    hubs: { "/hub": hub },
    maximumReceiveMessageSize: 1_000_000,
    maximumQueuedReceiveBytes: 180_000,
  });
  const connection = await PollingPeer.connect(node.port);
  using witness = await RawClient.connect(node.port);
  await connection.invoke("wait");
  const busy = await waiting.next();
  // This is more than half of what may wait, so nothing more is read.
  const large = "x".repeat(100_000);
  await connection.invoke("echo", "takes the next slot");
  let answered = false;
  const held = connection.invoke("echo", large).finally(() => answered = true);
  const behind = connection.invoke("echo", "behind it");
  const poll = connection.poll();
  for (const n of ["1", "2", "3", "4", "5"]) {
    await witness.send(call(n, "echo", "by now they have come"));
    await witness.next();
  }
  await witness.send(call("6", "tellAll", "news"));
  assertEquals((await bounded(poll)).text, invocation("got", "news"));
  assertEquals(answered, false);
  busy.resolve(undefined);
  assertEquals((await bounded(Promise.all([held, behind]))).map(({ status }) => status), [
    200,
    200,
  ]);
  await connection.send("DELETE");
}).forEach((test) => Deno.test(test));

onEachServer(
  "a node is done with a client that leaves its close frame unanswered",
  async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const { connectionToken } = JSON.parse(
      (await rawFetch(node.port, { method: "POST", path: "/hub/negotiate?negotiateVersion=1" }))
        .body,
    );
    const path = `/hub?id=${connectionToken}`;
    using client = await RawClient.connect(node.port, path);
    await client.send(call("1", "leave"));
    assertEquals(await client.next(), { type: 7 });
    assertEquals((await client.closed()).code, 1000);
    assertEquals((await ends.next()).error, undefined);
    await until(async () => (await rawFetch(node.port, { method: "POST", path })).status === 404);
    // Nor does it hold up the end of the server.
    await bounded(node.server.close());
  },
).forEach((test) => Deno.test(test));
