import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import type { RunningNode } from "../../kit/running_node.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { bounded, until } from "../../kit/wait.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";

const decoder = new TextDecoder();

interface Client {
  news(text: string): void;
}

const hub = defineHub({
  methods: { echo: (_context: HubContext<Client>, text: string) => text },
});

async function negotiate(node: RunningNode<{ "/hub": typeof hub }>, query: string) {
  const response = await fetch(node.url(`/hub/negotiate?negotiateVersion=1${query}`), {
    method: "POST",
  });
  return await response.json();
}

const unread = new WeakMap<RawSocket, string[]>();

/** The next record that is neither a ping nor an acknowledgement; a frame may hold several. */
async function next(socket: RawSocket): Promise<unknown> {
  const records = unread.get(socket) ?? [];
  unread.set(socket, records);
  while (true) {
    const record = records.shift();
    if (record !== undefined && !/^{"type":[68][,}]/.test(record)) return JSON.parse(record);
    if (record !== undefined) continue;
    const { opcode, payload } = await bounded(socket.receive());
    if (opcode === Opcode.Close) return "closed";
    records.push(...decoder.decode(payload).split("\x1e").slice(0, -1));
  }
}

onEachServer(
  "negotiate grants stateful reconnect to those who ask, if the server allows it",
  async (serve) => {
    await using allowing = await serve({ hubs: { "/hub": hub }, allowStatefulReconnects: true });
    await using refusing = await serve({ hubs: { "/hub": hub } });
    const asked = "&useStatefulReconnect=TRUE";
    assertEquals((await negotiate(allowing, asked)).useStatefulReconnect, true);
    assertEquals("useStatefulReconnect" in await negotiate(allowing, ""), false);
    assertEquals(
      "useStatefulReconnect" in await negotiate(allowing, "&useStatefulReconnect=1"),
      false,
    );
    assertEquals("useStatefulReconnect" in await negotiate(refusing, asked), false);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "HubServer lets a client take over while its old socket is believed alive",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub }, allowStatefulReconnects: true });
    const { connectionToken } = await negotiate(node, "&useStatefulReconnect=true");
    using old = await RawSocket.open(node.port, `/hub?id=${connectionToken}`);
    await old.sendText('{"protocol":"json","version":2}\x1e');
    assertEquals(await next(old), {});
    // A call that is answered proves that the connection is open.
    await old.sendText('{"type":1,"invocationId":"1","target":"echo","arguments":["a"]}\x1e');
    assertEquals(await next(old), { type: 3, invocationId: "1", result: "a" });

    using taken = await RawSocket.open(node.port, `/hub?id=${connectionToken}`);
    await taken.sendText('{"type":9,"sequenceId":2}\x1e');
    assertEquals(await next(taken), { type: 9, sequenceId: 1 });
    assertEquals(await next(taken), { type: 3, invocationId: "1", result: "a" });
    // A server that can has dropped it.
    await old.sendText('{"type":1,"target":"echo","arguments":["ghost"]}\x1e').catch(() => {});
    node.server.hub("/hub").clients.all.send("news", "for the new socket");
    assertEquals(await next(taken), {
      type: 1,
      target: "news",
      arguments: ["for the new socket"],
    });
    await old.sendClose(1000).catch(() => {});
    await taken.sendText('{"type":1,"invocationId":"2","target":"echo","arguments":["b"]}\x1e');
    assertEquals(await next(taken), { type: 3, invocationId: "2", result: "b" });
  },
).forEach((test) => Deno.test(test));

onEachServer("HubServer lets nobody else come back on a connection", async (serve) => {
  await using node = await serve({
    hubs: { "/hub": hub },
    allowStatefulReconnects: true,
    authenticate: ({ url }) => ({ id: new URL(url).searchParams.get("user") ?? "ann" }),
  });
  const { connectionToken } = await negotiate(node, "&useStatefulReconnect=true");
  const path = `/hub?id=${connectionToken}`;
  using socket = await RawSocket.open(node.port, path);
  await socket.sendText('{"protocol":"json","version":2}\x1e');
  assertEquals(await next(socket), {});
  const { response } = await RawSocket.request(node.port, `${path}&user=bob`);
  assertEquals(response.status, 403);
  await socket.sendText('{"type":1,"invocationId":"1","target":"echo","arguments":["a"]}\x1e');
  assertEquals(await next(socket), { type: 3, invocationId: "1", result: "a" });
}).forEach((test) => Deno.test(test));

onEachServer(
  "HubServer forgets a client that said goodbye, or did not come back",
  async (serve) => {
    await using node = await serve({
      hubs: { "/hub": hub },
      allowStatefulReconnects: true,
      disconnectTimeout: 1,
    });
    for (const graceful of [true, false]) {
      const { connectionToken } = await negotiate(node, "&useStatefulReconnect=true");
      const path = `/hub?id=${connectionToken}`;
      const socket = await RawSocket.open(node.port, path);
      await socket.sendText('{"protocol":"json","version":2}\x1e');
      assertEquals(await next(socket), {});
      if (graceful) await socket.sendClose(1000);
      socket[Symbol.dispose]();
      // Asked for as a poll, because another socket would be its return.
      await until(async () => {
        const response = await fetch(node.url(path));
        await response.body?.cancel();
        return response.status === 404;
      });
    }
  },
).forEach((test) => Deno.test(test));
