import { assertEquals } from "@std/assert";
import { ENDLESS, endlessHub } from "../../kit/endless_hub.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { StreamReader } from "../../kit/stream_reader.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { bounded } from "../../kit/wait.ts";
import { onEachProtocol } from "./protocols.ts";

/** A raw client that has called `method` and has read the beginning of its stream. */
async function reading(port: number, method: string): Promise<RawSocket> {
  const socket = await RawSocket.connect(port, "/hub");
  const message = { type: 4, invocationId: "1", target: method, arguments: [] };
  await socket.sendText(`${JSON.stringify(message)}\x1e`);
  await socket.receive();
  return socket;
}

/** The ways in which a client leaves. */
const WAYS: Readonly<Record<string, (socket: RawSocket) => Promise<void>>> = {
  async "a close frame, and reads nothing more"(socket) {
    await socket.sendClose(1001);
  },
  async "a close frame, and reads to the end"(socket) {
    await socket.sendClose(1001);
    while ((await socket.receive()).opcode !== Opcode.Close);
  },
  async "the end of its side"(socket) {
    await socket.cut();
  },
  "a reset": (socket) => Promise.resolve(socket[Symbol.dispose]()),
};

for (const [way, leave] of Object.entries(WAYS)) {
  onEachServer(`an endless stream ends when its client leaves by ${way}`, async (serve) => {
    const { hub, ended } = endlessHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using other = await SignalRClient.connect(node.url("/hub"));
    for (const source of ENDLESS) {
      using socket = await reading(node.port, source);
      await leave(socket);
      assertEquals(await other.invoke("echo", source), source);
      assertEquals(await ended.next(), source);
    }
  }).forEach((test) => Deno.test(test));
}

onEachServer("ten clients that leave their endless streams hold up nobody", async (serve) => {
  const { hub, ended } = endlessHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  await using other = await SignalRClient.connect(node.url("/hub"));
  const sockets = await Promise.all(
    Array.from({ length: 10 }, () => reading(node.port, "asynchronous")),
  );
  assertEquals(await other.invoke("echo", 1), 1);
  for (const socket of sockets) await socket.sendClose();
  assertEquals(await other.invoke("echo", 2), 2);
  assertEquals(new Set(await ended.take(10)), new Set(["asynchronous"]));
  for (const socket of sockets) socket[Symbol.dispose]();
}).forEach((test) => Deno.test(test));

onEachProtocol(
  "an endless stream ends when an official client disposes of it, or stops",
  endlessHub,
  async ({ client, node, ended, protocol }) => {
    for (const source of ENDLESS) {
      const reader = new StreamReader(client.connection.stream(source));
      await reader.items.next();
      reader.cancel();
      assertEquals(await ended.next(), source);
      await using leaving = await SignalRClient.connect(node.url("/hub"), { protocol });
      await new StreamReader(leaving.connection.stream(source)).items.next();
      await leaving.connection.stop();
      assertEquals(await ended.next(), source);
    }
    assertEquals(await client.invoke("echo", 1), 1);
  },
).forEach((test) => Deno.test(test));

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  onEachServer(`an endless stream ends when its client stops, over ${name}`, async (serve) => {
    const { hub, ended } = endlessHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using other = await SignalRClient.connect(node.url("/hub"));
    for (const source of ENDLESS) {
      await using client = await SignalRClient.connect(node.url("/hub"), { transport });
      await new StreamReader(client.connection.stream(source)).items.next();
      await client.connection.stop();
      assertEquals(await ended.next(), source);
      assertEquals(await other.invoke("echo", source), source);
    }
  }).forEach((test) => Deno.test(test));
}

onEachProtocol(
  "drain() ends an endless stream, and its client hears why",
  endlessHub,
  async ({ client, node, ended }) => {
    const readers = ENDLESS.map((source) => new StreamReader(client.connection.stream(source)));
    for (const { items } of readers) await items.next();
    await bounded(node.server.drain({ timeout: 2 ** 30, streamTimeout: 10 }));
    assertEquals(new Set(await ended.take(3)), new Set(ENDLESS));
    for (const reader of readers) {
      assertEquals(
        await reader.end,
        "An error occurred on the server while streaming results. HubException: The server is closing.",
      );
    }
    assertEquals(node.log.lines, []);
  },
).forEach((test) => Deno.test(test));
