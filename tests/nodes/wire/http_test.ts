import { assertEquals, assertMatch } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { rawFetch, type RawRequest, type RawResponse } from "../../kit/http.ts";
import { RawSocket } from "../../kit/socket.ts";

const hub = defineHub({
  methods: { echo: (_context: HubContext<object>, value: unknown) => value },
});

const SOCKET_HEADERS = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
};

async function negotiate(port: number, path = "/hub"): Promise<string> {
  const { body } = await rawFetch(port, {
    method: "POST",
    path: `${path}/negotiate?negotiateVersion=1`,
  });
  return JSON.parse(body).connectionToken;
}

/** Status and body. */
async function brief(port: number, request: RawRequest): Promise<[number, string]> {
  const { status, body }: RawResponse = await rawFetch(port, request);
  return [status, body];
}

onEachServer("a node answers 404 outside the hubs and finds them in any case", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub, "/a/b c": hub } });
  const found = async (path: string) =>
    (await rawFetch(node.port, { method: "POST", path })).status;
  for (
    const path of ["/hub/negotiate", "/HUB/Negotiate", "/hub/negotiate/", "/a/b%20c/negotiate"]
  ) {
    assertEquals(await found(path), 200, path);
  }
  // Found too, but nothing is negotiated there.
  for (const path of ["/hub", "/hub/"]) assertEquals(await found(path), 400, path);
  for (
    const path of [
      "/",
      "/negotiate",
      "//",
      "/hub/negotiate//",
      "/hubs",
      "/x/hub",
      "/hub//negotiate",
    ]
  ) {
    assertEquals(await found(path), 404, path);
  }
}).forEach((test) => Deno.test(test));

onEachServer("a node strips basePath and answers 404 without it", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub }, basePath: "/base" });
  const status = async (path: string) =>
    (await rawFetch(node.port, { method: "POST", path })).status;
  assertEquals(await status("/base/hub/negotiate"), 200);
  assertEquals(await status("/BASE/hub/negotiate"), 200);
  assertEquals(await status("/hub/negotiate"), 404);
  assertEquals(await status("/base"), 404);
  assertEquals(await status("/base/"), 404);
  assertEquals(await status("/basement/hub/negotiate"), 404);
  using socket = await RawSocket.connect(node.port, "/base/hub");
  await socket.sendClose(1000);
}).forEach((test) => Deno.test(test));

onEachServer("a node takes query names in any case", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub } });
  const { body } = await rawFetch(node.port, {
    method: "POST",
    path: "/hub/negotiate?NEGOTIATEVERSION=1",
  });
  const { connectionToken } = JSON.parse(body);
  assertMatch(connectionToken, /^[\w-]{64}$/);
  using socket = await RawSocket.connect(node.port, `/hub?ID=${connectionToken}`);
  await socket.sendClose(1000);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a token opens its connection at any path of its hub, and at no other hub",
  async (serve) => {
    await using node = await serve({
      hubs: { "/hub": hub, "/same": hub, "/other": defineHub({ methods: {} }) },
    });
    const token = await negotiate(node.port);
    const { response } = await RawSocket.request(node.port, `/other?id=${token}`);
    assertEquals([response.status, response.body], [404, "No Connection with that ID"]);
    using socket = await RawSocket.connect(node.port, `/same?id=${token}`);
    await socket.sendClose(1000);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a node gives a connection without negotiation no token, not its public id",
  async (serve) => {
    const ids = new Events<string>();
    const watched = defineHub({
      methods: {},
      connected: ({ connectionId }) => ids.add(connectionId),
    });
    await using node = await serve({ hubs: { "/hub": watched } });
    using socket = await RawSocket.connect(node.port, "/hub");
    const path = `/hub?id=${await ids.next()}`;
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await brief(node.port, { method, path });
      assertEquals(answer, [404, "No Connection with that ID"]);
    }
    await socket.sendClose(1000);
  },
).forEach((test) => Deno.test(test));

onEachServer("a node creates a connection when the id of a WebSocket is empty", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub } });
  using socket = await RawSocket.connect(node.port, "/hub?id=");
  await socket.sendClose(1000);
}).forEach((test) => Deno.test(test));

onEachServer("a node forgets a token when its connection has ended", async (serve) => {
  const ended = Promise.withResolvers<void>();
  const watched = defineHub({ methods: {}, disconnected: () => ended.resolve() });
  await using node = await serve({ hubs: { "/hub": watched } });
  const token = await negotiate(node.port);
  using socket = await RawSocket.connect(node.port, `/hub?id=${token}`);
  await socket.sendClose(1000);
  await socket.receive();
  await bounded(ended.promise);
  // `disconnected` is a turn or two before the end of the connection.
  const gone = { method: "POST", path: `/hub?id=${token}`, body: "x" };
  await until(async () => (await brief(node.port, gone))[0] !== 405);
  assertEquals(await brief(node.port, gone), [404, "No Connection with that ID"]);
  // The token is not too old yet, but it begins nothing again.
  const { response } = await RawSocket.request(node.port, `/hub?id=${token}`);
  assertEquals([response.status, response.body], [404, "No Connection with that ID"]);
}).forEach((test) => Deno.test(test));

onEachServer("a node forgets a negotiated connection after disconnectTimeout", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub }, disconnectTimeout: 1 });
  const token = await negotiate(node.port);
  const request = { method: "POST", path: `/hub?id=${token}`, body: "x" };
  // What comes before the transport does not keep the connection.
  await until(async () => {
    const answer = await brief(node.port, request);
    if (answer[0] === 200) return false;
    assertEquals(answer, [404, "No Connection with that ID"]);
    return true;
  });
}).forEach((test) => Deno.test(test));

onEachServer("a node answers 400 to a WebSocket opening that is not valid", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub } });
  const request = { method: "GET", path: "/hub", headers: SOCKET_HEADERS };
  assertEquals((await rawFetch(node.port, request)).status, 400);
  const token = await negotiate(node.port);
  const negotiated = { ...request, path: `/hub?id=${token}` };
  assertEquals((await rawFetch(node.port, negotiated)).status, 400);
  // The reservation is still good.
  using socket = await RawSocket.connect(node.port, `/hub?id=${token}`);
  await socket.sendClose(1000);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a node takes an exact media type in Accept, in any case, for an event stream",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub }, transports: ["WebSockets"] });
    const cases = [
      ["text/event-stream", "ServerSentEvents"],
      ["text/html, TEXT/Event-Stream ,*/*", "ServerSentEvents"],
      ["text/event-stream;q=0.9", "LongPolling"],
      ["*/*", "LongPolling"],
    ] as const;
    for (const [accept, transport] of cases) {
      const path = `/hub?id=${await negotiate(node.port)}`;
      assertEquals(
        await brief(node.port, { method: "GET", path, headers: { accept } }),
        [404, `${transport} transport not supported by this end point type`],
      );
    }
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a node answers 500 and logs when authenticate throws, and sends its Response as it is",
  async (serve) => {
    await using node = await serve({
      hubs: { "/hub": hub },
      authenticate(request) {
        const { pathname, searchParams } = new URL(request.url);
        if (searchParams.has("teapot")) return new Response("short", { status: 418 });
        throw new Error(`no directory for ${pathname}`);
      },
    });
    const path = "/hub/negotiate";
    assertEquals(await brief(node.port, { method: "POST", path }), [500, ""]);
    assertEquals(node.log.lines, [
      "error authenticate failed: Error: no directory for /hub/negotiate",
    ]);
    assertEquals(await brief(node.port, { method: "POST", path: `${path}?teapot` }), [
      418,
      "short",
    ]);
    const { response } = await RawSocket.request(node.port, "/hub?teapot");
    assertEquals([response.status, response.body], [418, "short"]);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a node answers 503 to everything new while the server drains and after it",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub } });
    const token = await negotiate(node.port);
    await node.server.drain();
    assertEquals(await brief(node.port, { method: "POST", path: "/hub/negotiate" }), [503, ""]);
    for (const path of ["/hub", `/hub?id=${token}`]) {
      const { response } = await RawSocket.request(node.port, path);
      assertEquals(response.status, 503);
    }
  },
).forEach((test) => Deno.test(test));
