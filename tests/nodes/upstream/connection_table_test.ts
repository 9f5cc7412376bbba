/**
 * What upstream's HttpConnectionManagerTests show and no other test of ours does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { bounded } from "../../kit/wait.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { chatHub } from "../transports/chat_hub.ts";
import { rawFetch } from "../../kit/http.ts";
import { RawClient } from "./raw_client.ts";
import { call } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

onEachServer(
  "a connection token opens its connection, and the public connection id does not",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": chatHub().hub } });
    const path = "/hub/negotiate?negotiateVersion=1";
    const { body } = await rawFetch(node.port, { method: "POST", path });
    const { connectionId, connectionToken } = JSON.parse(body);
    const { status } = await rawFetch(node.port, {
      method: "POST",
      path: `/hub?id=${connectionId}`,
      body: "x",
    });
    assertEquals(status, 404);
    using client = await RawClient.connect(node.port, `/hub?id=${connectionToken}`);
    await client.send(call("1", "whoami"));
    const { result } = await client.next() as { result: readonly unknown[] };
    assertEquals(result[1], connectionId);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "close() ends connections of every transport, waiting or not, each once",
  async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    const negotiated = await PollingPeer.negotiate(node.port);
    const resting = await PollingPeer.connect(node.port);
    const polling = await PollingPeer.connect(node.port);
    const polls = [polling.poll(), polling.poll()];
    await bounded(Promise.race(polls));
    const streaming = await PollingPeer.negotiate(node.port);
    const stream = await fetch(streaming.url, { headers: { accept: "text/event-stream" } });
    await streaming.post('{"protocol":"json","version":1}\x1e');
    using client = await RawClient.connect(node.port);
    await bounded(node.server.close());
    assertEquals(await client.next(), { type: 7, allowReconnect: true });
    await client.closed();
    const text = await bounded(stream.text());
    assertEquals(text.endsWith('data: {"type":7,"allowReconnect":true}\x1e\r\n\r\n'), true, text);
    const answers = await bounded(Promise.all(polls));
    assertEquals(answers.toSorted((a, b) => a.status - b.status), [
      { status: 200, text: '{"type":7,"allowReconnect":true}\x1e' },
      { status: 204, text: "" },
    ]);
    // One for each that had shaken hands, and no more.
    assertEquals((await ends.take(4)).map(({ error }) => error), Array(4).fill(undefined));
    assertEquals(ends.all.length, 4);
    for (const connection of [negotiated, resting]) {
      assertEquals((await connection.poll()).status, 503);
    }
  },
).forEach((test) => Deno.test(test));

onEachServer("a connection that is ended in several ways at once ends once", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.connect(node.port);
  const answers = await bounded(Promise.all([
    connection.post('{"type":7}\x1e'),
    connection.invoke("leave"),
    connection.send("DELETE"),
    connection.send("DELETE"),
  ]));
  for (const { status } of answers) {
    assertEquals([200, 202, 404].includes(status), true, `${status}`);
  }
  assertEquals((await ends.next()).error, undefined);
  await bounded(node.server.close());
  assertEquals(ends.all.length, 1);
}).forEach((test) => Deno.test(test));
