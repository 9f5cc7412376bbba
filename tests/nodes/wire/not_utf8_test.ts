/**
 * Bytes that are no UTF-8, where JSON comes as bytes. ASP.NET Core 10 reads them into a parameter of type
 * `object` as we do; one of type `string` fails to bind, and in a target or an id they end the connection.
 * In a text frame they break the rules of WebSockets: see `socket_test.ts`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { RawClient } from "../upstream/raw_client.ts";
import { Opcode } from "../../kit/socket.ts";
import { jsonRecords, type WireRecord } from "./records.ts";
import { call, result } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

const hub = defineHub({
  methods: { echo: (_context: HubContext<object>, value: unknown) => value },
});

function startNode(serve: Serve) {
  return serve({ hubs: { "/hub": hub }, detailedErrors: true });
}

/** A record whose every `~` is a byte that no UTF-8 has. */
function bytesOf(record: unknown): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(record)}\x1e`);
  return bytes.map((byte) => byte === 0x7e ? 0xff : byte);
}

/** What is sent, and what each is answered. */
const CASES: readonly (readonly [sent: unknown, answer: WireRecord])[] = [
  [call("1", "echo", "a~b"), result("1", "a\ufffdb")],
  [call("2", "echo", { "~": ["~~"] }), result("2", { "\ufffd": ["\ufffd\ufffd"] })],
  [{ "~": "~", ...call("3", "echo", "é😀") }, result("3", "é😀")],
  [call("4~", "echo", 1), result("4\ufffd", 1)],
  [call("5", "ec~"), {
    type: 3,
    invocationId: "5",
    error: "Failed to invoke 'ec\ufffd' due to an error on the server. HubException: Method does " +
      "not exist.",
  }],
];

onEachServer("bytes of a binary frame that are no UTF-8 are read as U+FFFD", async (serve) => {
  await using node = await startNode(serve);
  using client = await RawClient.connect(node.port);
  for (const [sent, answer] of CASES) {
    await client.socket.send(Opcode.Binary, bytesOf(sent));
    assertEquals(await client.next(), answer);
  }
  // Outside of texts there is no place for them.
  await client.socket.send(Opcode.Binary, new Uint8Array([0x7b, 0xff, 0x7d, 0x1e]));
  assertEquals(await client.next(), {
    type: 7,
    error: "Connection closed with an error. InvalidDataException: Error reading JSON.",
    allowReconnect: true,
  });
}).forEach((test) => Deno.test(test));

onEachServer("bytes of a POST that are no UTF-8 are read as U+FFFD", async (serve) => {
  await using node = await startNode(serve);
  const connection = await PollingPeer.connect(node.port);
  for (const [sent, answer] of CASES) {
    const { status } = await connection.send("POST", { body: bytesOf(sent) });
    assertEquals(status, 200);
    assertEquals(jsonRecords((await connection.poll()).text), [answer]);
  }
  await connection.send("DELETE");
}).forEach((test) => Deno.test(test));

onEachServer("half of a surrogate pair is a value, and goes out as U+FFFD", async (serve) => {
  await using node = await startNode(serve);
  using client = await RawClient.connect(node.port);
  // What a client writes that has cut a text in the middle of a character.
  const cut = "😀".slice(0, 1);
  await client.send(call("1", "echo", cut), call("2", "echo", { [cut]: [cut] }));
  assertEquals(await client.next(), result("1", "\ufffd"));
  assertEquals(await client.next(), result("2", { "\ufffd": ["\ufffd"] }));
}).forEach((test) => Deno.test(test));
