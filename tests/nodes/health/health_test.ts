import { assertEquals } from "@std/assert";
import { defineHub, type ServerHealth } from "../../../mod.ts";
import { rawFetch, type RawResponse } from "../../kit/http.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";

/** A node whose hub has a call that ends when the test says so. */
async function startNode(serve: Serve) {
  const began = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      wait() {
        began.resolve();
        return waiting.promise;
      },
    },
  });
  const node = await serve({
    hubs: { "/hub": hub },
    health: { live: "/healthz", ready: "/readyz" },
    authenticate: ({ url }) => url.includes("/hub") ? { id: "ann" } : new Response("no health"),
  });
  await bounded(node.server.ready);
  const ask = (path: string, method = "GET", headers = {}) =>
    rawFetch(node.port, { method, path, headers });
  return { node, ask, began: began.promise, endWait: waiting.resolve };
}

function healthOf({ body }: RawResponse): ServerHealth {
  return JSON.parse(body);
}

onEachServer("the paths of health are answered as HTTP", async (serve) => {
  const { node, ask } = await startNode(serve);
  await using _node = node;
  const json = { "content-type": "application/json", "cache-control": "no-store" };
  for (const path of ["/healthz", "/readyz", "/readyz?full=1"]) {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, body } = await ask(path, method);
      assertEquals([status, body === ""], [200, method === "HEAD"], `${method} ${path}`);
      for (const [name, value] of Object.entries(json)) assertEquals(headers[name], value);
    }
    const { status, headers } = await rawFetch(node.port, { method: "POST", path, body: "{}" });
    assertEquals([status, headers["allow"]], [405, "GET, HEAD"]);
  }
  assertEquals(healthOf(await ask("/readyz")), node.server.health());
  // A request for a WebSocket gets the same answer.
  const upgrade = {
    ...{ connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const refused = await ask("/readyz", "GET", upgrade);
  assertEquals([refused.status, healthOf(refused).state], [200, "up"]);
  assertEquals((await ask("/healthz/")).status, 404);
}).forEach((test) => Deno.test(test));

onEachServer("a node that drains is not ready, and lives until it is closed", async (serve) => {
  const { node, ask, began, endWait } = await startNode(serve);
  await using _node = node;
  await using client = await SignalRClient.connect(node.url("/hub"));
  const both = async () => {
    const [live, ready] = [await ask("/healthz"), await ask("/readyz")];
    assertEquals(healthOf(live).state, healthOf(ready).state);
    const { state, connections } = healthOf(ready);
    return [live.status, ready.status, state, connections];
  };
  assertEquals(await both(), [200, 200, "up", 1]);
  const call = client.invoke("wait");
  await bounded(began);
  const drain = node.server.drain();
  assertEquals(await both(), [200, 503, "draining", 1]);
  endWait();
  await bounded(call);
  await bounded(drain);
  assertEquals(await both(), [200, 503, "draining", 0]);
  await node.server.close();
  assertEquals(await both(), [503, 503, "closed", 0]);
}).forEach((test) => Deno.test(test));
