import { assert, assertEquals, assertMatch } from "@std/assert";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, until } from "../../kit/wait.ts";
import { TcpReader, writeAll } from "../../kit/tcp.ts";
import { readResponse } from "../../kit/http.ts";
import { chatHub } from "./chat_hub.ts";
import { HTTP_TRANSPORTS, TRANSPORTS } from "../../kit/transport_names.ts";
import { invocation } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

const HANDSHAKE = '{"protocol":"json","version":1}\x1e';
const SLOW = "The client reads too slowly: too many bytes are unsent.";
const NO_CONNECTION = { status: 404, text: "No Connection with that ID" };

/** Lets requests that were sent before arrive. */
async function roundTrips(port: number): Promise<void> {
  for (let n = 0; n < 5; n++) await PollingPeer.negotiate(port);
}

/** Members of group `g` that never read, with the sockets that they hold open. */
const SILENT = {
  async ServerSentEvents(port: number) {
    const connection = await PollingPeer.negotiate(port);
    const socket = await connection.openUnread();
    await until(async () => (await connection.post(HANDSHAKE)).status === 200);
    await connection.invoke("join", "g");
    return { connection, socket };
  },
  async LongPolling(port: number) {
    const connection = await PollingPeer.connect(port);
    await connection.invoke("join", "g");
    return { connection, socket: undefined };
  },
};

for (const [name, transport] of Object.entries(HTTP_TRANSPORTS)) {
  onEachServer(`${name}: a client that never reads is closed, and delays nobody`, async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const { connection, socket } = await SILENT[name as keyof typeof SILENT](node.port);
    await using client = await SignalRClient.connect(node.url("/hub"), { transport });
    await client.invoke("join", "g");
    const group = node.server.hub("/hub").clients.group("g");
    const text = "x".repeat(200_000);
    for (let n = 0; ends.all.length === 0; n++) {
      assert(n < 100, "20 MB are not too many");
      await group.send("got", n, text);
      assertEquals((await client.got.next())[0], n);
    }
    assertEquals((await ends.next()).error, SLOW);
    assertEquals(await connection.invoke("join", "g"), NO_CONNECTION);
    socket?.close();
  }).forEach((test) => Deno.test(test));
}

onEachServer("a client of events that vanishes is noticed", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.negotiate(node.port);
  const socket = await connection.openUnread();
  const reader = new TcpReader(socket);
  assertMatch(await reader.takeUntil("\r\n\r\n") ?? "", /^HTTP\/1\.1 200 /);
  await connection.post(HANDSHAKE);
  await reader.takeUntil("{}\x1e\r\n\r\n");
  socket.close();
  assertEquals((await ends.next()).error, undefined);
  assertEquals(await connection.post(HANDSHAKE), NO_CONNECTION);
}).forEach((test) => Deno.test(test));

onEachServer("a client that breaks its poll off and polls again loses nothing", async (serve) => {
  const { hub } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.connect(node.port);
  const reader = new AbortController();
  const broken = connection.poll({ signal: reader.signal }).catch(() => undefined);
  // The poll is there when an invocation behind it has been answered.
  await connection.post("");
  reader.abort();
  await broken;
  const next = connection.poll();
  await roundTrips(node.port);
  await connection.invoke("burst", 2, 1);
  const { text } = await next;
  assertEquals(text, invocation("got", 0, "x") + invocation("got", 1, "x"));
  assertEquals((await connection.send("DELETE")).status, 202);
}).forEach((test) => Deno.test(test));

onEachServer("a client that stops polling is forgotten after disconnectTimeout", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub }, disconnectTimeout: 500 });
  const connection = await PollingPeer.connect(node.port);
  const reader = new AbortController();
  const broken = connection.poll({ signal: reader.signal }).catch(() => undefined);
  await connection.post("");
  reader.abort();
  await broken;
  assertEquals((await ends.next()).error, undefined);
  assertEquals(await connection.poll(), NO_CONNECTION);
}).forEach((test) => Deno.test(test));

onEachServer("a POST waits while the hub is busy with what came before it", async (serve) => {
  const { hub, waiting, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub }, maximumQueuedReceiveBytes: 140_000 });
  const connection = await PollingPeer.connect(node.port);
  await connection.invoke("wait");
  const call = await waiting.next();
  // The first is taken and waits for its turn; these are more than half of what may wait.
  await connection.invoke("echo", "first");
  let answered = 0;
  const posts = Array.from({ length: 4 }, async () => {
    const answer = await connection.invoke("echo", "x".repeat(30_000));
    answered++;
    return answer.status;
  });
  await until(() => answered === 2);
  await roundTrips(node.port);
  assertEquals([answered, ends.all.length], [2, 0]);
  call.resolve("done");
  assertEquals(await bounded(Promise.all(posts)), [200, 200, 200, 200]);
  assertEquals((await connection.send("DELETE")).status, 202);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a message that is too large ends the connection before its body is whole",
  async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const connection = await PollingPeer.connect(node.port);
    using socket = await connection.start("POST", { "content-length": "100000000" });
    const piece = new TextEncoder().encode("x".repeat(10_000));
    for (let n = 0; n < 4; n++) await writeAll(socket, piece);
    assertMatch((await ends.next()).error ?? "", /maximum message size of 32768B was exceeded/);
    assertEquals(await connection.poll(), {
      status: 200,
      text: '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e',
    });
    assertEquals(await connection.poll(), { status: 204, text: "" });
  },
).forEach((test) => Deno.test(test));

onEachServer("a POST that trickles in or breaks off harms no other connection", async (serve) => {
  const { hub, waiting, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using client = await SignalRClient.connect(node.url("/hub"), {
    transport: TRANSPORTS.LongPolling,
  });
  const slow = await PollingPeer.connect(node.port);
  const length = { "content-length": "1000" };
  const sockets: Deno.TcpConn[] = [];
  for (let n = 0; n < 50; n++) sockets.push(await slow.start("POST", length, '{"type"'));
  assertEquals(await client.invoke("echo", 1), 1);
  // It can still be ended, and every one of them is answered.
  assertEquals((await slow.send("DELETE")).status, 202);
  assertEquals((await ends.next()).error, "Connection terminated while reading a message.");
  for (const socket of sockets) {
    const { status } = await readResponse(new TcpReader(socket), true);
    assert(status === 404 || status === 200, `${status}`);
    socket.close();
  }
  const broken = await PollingPeer.connect(node.port);
  const socket = await broken.start("POST", length, `${invocation("wait")}{"type"`);
  (await waiting.next()).resolve("arrived");
  socket.close();
  // What follows belongs to the message that broke off, so the connection ends.
  await until(async () => (await broken.invoke("echo", 2)).status !== 200 || ends.all.length === 2);
  assertMatch((await ends.next()).error ?? "", /JSON/);
  assertEquals(await client.invoke("echo", 3), 3);
}).forEach((test) => Deno.test(test));

onEachServer("a stranger gets nowhere without the token", async (serve) => {
  const { hub } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using client = await SignalRClient.connect(node.url("/hub"), {
    transport: TRANSPORTS.LongPolling,
  });
  const url = node.url(`/hub?id=${client.id}`);
  for (const method of ["GET", "POST", "DELETE"]) {
    for (const headers of [{ accept: "text/event-stream" }, { accept: "*/*" }]) {
      const response = await fetch(url, { method, headers });
      assertEquals([response.status, await response.text()], [404, NO_CONNECTION.text]);
    }
  }
  assertEquals(await client.invoke("echo", 1), 1);
}).forEach((test) => Deno.test(test));

onEachServer("close() ends streams, polls that wait, and bodies that trickle in", async (serve) => {
  const { hub, waiting } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const polling = await PollingPeer.connect(node.port);
  const poll = polling.poll();
  const trickling = await PollingPeer.connect(node.port);
  using body = await trickling.start("POST", { "content-length": "100" }, "{");
  const events = await PollingPeer.negotiate(node.port);
  using socket = await events.openUnread();
  const stream = new TcpReader(socket);
  await stream.takeUntil("3\r\n:\r\n\r\n");
  const early = (await PollingPeer.negotiate(node.port)).post("x".repeat(5000));
  await polling.invoke("wait");
  await waiting.next();
  await bounded(node.server.close());
  assertEquals(await poll, { status: 200, text: '{"type":7,"allowReconnect":true}\x1e' });
  assertMatch(`${(await early).status}`, /^(?:404|503)$/);
  // Without a handshake there is nothing to say.
  assertEquals(await stream.takeUntil("\r\n\r\n"), "0");
  assertMatch(`${(await readResponse(new TcpReader(body), true)).status}`, /^(?:200|404)$/);
}).forEach((test) => Deno.test(test));
