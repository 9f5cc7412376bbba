/**
 * What upstream's HubConnectionHandlerTests show and no other test of ours does.
 *
 * @module
 */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { defineHub, type HubContext, HubError, MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { chatHub } from "../transports/chat_hub.ts";
import { rawFetch } from "../../kit/http.ts";
import { RawSocket } from "../../kit/socket.ts";
import { RawClient } from "./raw_client.ts";
import { call, result } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

const BROKEN = {
  type: 7,
  error: "Connection closed with an error.",
  allowReconnect: true,
};

onEachServer(
  "messages are served that come in one frame with one too large, up to that",
  async (serve) => {
    const { hub, ends } = chatHub();
    await using node = await serve({ hubs: { "/hub": hub }, maximumReceiveMessageSize: 100 });
    using client = await RawClient.connect(node.port);
    await client.send(
      call("1", "echo", "a"),
      call("2", "echo", "b"),
      call("3", "echo", "x".repeat(100)),
      call("4", "echo", "c"),
    );
    assertEquals(await client.next(), result("1", "a"));
    assertEquals(await client.next(), result("2", "b"));
    assertEquals(await client.next(), BROKEN);
    assertEquals((await client.closed()).code, 1000);
    const { error = "" } = await ends.next();
    assertEquals(error.startsWith("The maximum message size of 100B was exceeded."), true, error);
  },
).forEach((test) => Deno.test(test));

onEachServer("disconnected hears what a client says it goes for, as a HubError", async (serve) => {
  const ends = new Events<Error | undefined>();
  const hub = defineHub({
    methods: {},
    disconnected: (_context: HubContext<never>, error?: Error) => ends.add(error),
  });
  await using node = await serve({ hubs: { "/hub": hub } });
  for (const close of [{ type: 7, error: "out of paper" }, { type: 7 }]) {
    using client = await RawClient.connect(node.port);
    await client.send(close);
    assertEquals(await client.next(), { type: 7 });
    assertEquals((await client.closed()).code, 1000);
  }
  const [told, silent] = await ends.take(2);
  assertInstanceOf(told, HubError);
  assertEquals([told.message, silent], ["out of paper", undefined]);
}).forEach((test) => Deno.test(test));

onEachServer("disconnected hears that a client went in the middle of a message", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const torn = '{"type":1,"target":"echo","argu';
  using client = await RawClient.connect(node.port);
  await client.socket.sendText(torn);
  await client.socket.sendClose(1000);
  await client.closed();
  const connection = await PollingPeer.connect(node.port);
  assertEquals((await connection.post(torn)).status, 200);
  assertEquals((await connection.send("DELETE")).status, 202);
  for (const { error } of await ends.take(2)) {
    assertEquals(error, "Connection terminated while reading a message.");
  }
}).forEach((test) => Deno.test(test));

onEachServer(
  "small messages are served that together are larger than one may be",
  async (serve) => {
    await using node = await serve({
      hubs: { "/hub": chatHub().hub },
      maximumReceiveMessageSize: 100,
    });
    using client = await RawClient.connect(node.port);
    const ids = [...Array(100).keys()].map(String);
    await client.send(...ids.map((id) => call(id, "echo", id)));
    for (const id of ids) assertEquals(await client.next(), result(id, id));
  },
).forEach((test) => Deno.test(test));

onEachServer("a connection that connected refuses leaves nothing subscribed", async (serve) => {
  const arrived = Promise.withResolvers<string>();
  const refused = Promise.withResolvers<never>();
  const bus = new MemoryBus();
  const hub = defineHub({
    methods: {},
    async connected({ connectionId, groups }: HubContext<never>) {
      await groups.add(connectionId, "g");
      arrived.resolve(connectionId);
      await refused.promise;
    },
  });
  await using node = await serve({
    hubs: { "/hub": hub },
    backplane: new MemoryBackplane(bus),
    authenticate: () => ({ id: "ann" }),
    unsubscribeDelay: 0,
  });
  await using probe = new MemoryBackplane(bus);
  using client = await RawClient.connect(node.port);
  const id = await bounded(arrived.promise);
  const channels = ["hub:group:g", "hub:user:ann", `hub:connection:${id}`];
  const listeners = () =>
    Promise.all(channels.map((name) => probe.publish(name, new Uint8Array())));
  assertEquals(await listeners(), [1, 1, 1]);
  refused.reject(new Error("no room"));
  const { allowReconnect: _, ...forGood } = BROKEN;
  assertEquals(await client.next(), forGood);
  await client.closed();
  await until(async () => (await listeners()).every((count) => count === 0));
}).forEach((test) => Deno.test(test));

onEachServer("one message reaches clients of both protocols, each in its own", async (serve) => {
  await using node = await serve({ hubs: { "/hub": chatHub().hub } });
  using json = await RawClient.connect(node.port);
  using packed = await RawClient.connect(node.port, "/hub", "messagepack");
  await json.send(call("1", "tellAll", "é😀", 1, null));
  const args = ["é😀", 1, null];
  for (
    const [client, expected] of [
      [json, { type: 1, target: "got", arguments: args }],
      [packed, [1, {}, null, "got", args, []]],
    ] as const
  ) assertEquals(await client.next(), expected);
  assertEquals(await json.next(), result("1"));
  await packed.sendPacked([1, {}, "1", "tellAll", [2], []]);
  assertEquals(await json.next(), { type: 1, target: "got", arguments: [2] });
  assertEquals(await packed.next(), [1, {}, null, "got", [2], []]);
  assertEquals(await packed.next(), [3, {}, "1", 3, null]);
}).forEach((test) => Deno.test(test));

onEachServer("abort() ends a stateful connection for good", async (serve) => {
  const { hub, ends } = chatHub();
  await using node = await serve({ hubs: { "/hub": hub }, allowStatefulReconnects: true });
  const { body } = await rawFetch(node.port, {
    method: "POST",
    path: "/hub/negotiate?negotiateVersion=1&useStatefulReconnect=true",
  });
  const { connectionToken } = JSON.parse(body);
  using client = await RawClient.connectStateful(node.port, connectionToken);
  await client.send(call("1", "leave"));
  assertEquals(await client.next(), { type: 7 });
  // Without the close frame's answer, as a socket that is cut.
  client[Symbol.dispose]();
  assertEquals((await ends.next()).error, undefined);
  await until(async () => {
    const { response, socket } = await RawSocket.request(
      node.port,
      `/hub?id=${connectionToken}`,
    );
    socket?.[Symbol.dispose]();
    assertEquals([404, 409].includes(response.status), true, `${response.status}`);
    return response.status === 404;
  });
  assertEquals(ends.all.length, 1);
}).forEach((test) => Deno.test(test));
