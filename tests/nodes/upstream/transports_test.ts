/**
 * What upstream's WebSocketsTests, LongPollingTests and ServerSentEventsTests show and no other test of
 * ours does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { chatHub } from "../transports/chat_hub.ts";
import { RawSocket } from "../../kit/socket.ts";
import { RawClient } from "./raw_client.ts";
import { call } from "../../kit/messages.ts";

onEachServer(
  "a socket ends in order when the client answers the node's close frame",
  async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    using client = await RawClient.connect(node.port);
    await client.send(call("1", "leave"));
    assertEquals(await client.next(), { type: 7 });
    assertEquals(await client.closed(), { code: 1000, reason: "" });
    await client.socket.sendClose(1000);
    await client.socket.ended();
    assertEquals((await ends.next()).error, undefined);
  },
).forEach((test) => Deno.test(test));

onEachServer("a node chooses no sub-protocol of those that a client offers", async (serve) => {
  await using node = await serve({ hubs: { "/hub": chatHub().hub } });
  const headers = { "sec-websocket-protocol": "json, messagepack" };
  const { response, socket } = await RawSocket.request(node.port, "/hub", headers);
  using _open = socket;
  assertEquals([response.status, response.headers["sec-websocket-protocol"]], [101, undefined]);
}).forEach((test) => Deno.test(test));
