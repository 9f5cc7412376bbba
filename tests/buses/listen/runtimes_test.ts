import { assertEquals } from "@std/assert";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";
import { readResponse } from "../../kit/http.ts";
import { dial, TcpReader, writeAll } from "../../kit/tcp.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { bundle, bunProgram, ForeignProcess, readmeChat } from "./foreign_process.ts";

/** The runtimes beside Deno; Bun has a `ws` of its own, which it takes unless one is bundled. */
const RUNTIMES = [
  { name: "Node", command: () => "node", external: [] },
  { name: "Bun", command: bunProgram, external: [] },
  { name: "Bun with its own ws", command: bunProgram, external: ["ws"] },
];

const POST = "POST /chat/negotiate?negotiateVersion=1 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n";

/** Asks as Java's client does, which offers to upgrade to HTTP/2, and then many times in one packet. */
async function askByHand(connection: Deno.TcpConn): Promise<void> {
  const reader = new TcpReader(connection);
  const upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n";
  const requests = [`${POST}${upgrade}\r\n`, `${POST}\r\n`.repeat(16)];
  for (const [index, count] of [1, 16].entries()) {
    await writeAll(connection, requests[index] ?? "");
    for (let n = 0; n < count; n++) assertEquals((await readResponse(reader, true)).status, 200);
  }
}

/** Talks in a room through every transport and protocol; `urls` are nodes of one chat. */
async function chat(urls: readonly [string, string]): Promise<void> {
  const clients: SignalRClient[] = [];
  const [one, two] = urls;
  try {
    for (const [name, transport] of Object.entries(TRANSPORTS)) {
      for (const protocol of PROTOCOLS) {
        if (name === "ServerSentEvents" && protocol === "messagepack") continue;
        clients.push(await SignalRClient.connect(`${one}/chat`, { transport, protocol }));
        clients.push(await SignalRClient.connect(`${two}/chat`, { transport, protocol }));
      }
    }
    const heard = clients.map(({ connection }) => {
      const { promise, resolve } = Promise.withResolvers<unknown[]>();
      connection.on("message", (...message) => resolve(message));
      return promise;
    });
    for (const client of clients) await client.invoke("join", "lobby");
    const [speaker] = clients;
    const text = "Grüße 😀 ".repeat(1000);
    await speaker?.invoke("say", "lobby", text);
    for (const message of heard) assertEquals(await bounded(message), [speaker?.id, text]);
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

for (const { name, command, external } of RUNTIMES) {
  Deno.test(`listen() serves the chat of the README on ${name}, in memory and over Redis`, async () => {
    const program = await bundle(await readmeChat(), external);
    try {
      {
        await using node = await ForeignProcess.start(command(), [program]);
        using connection = await dial(Number(new URL(node.url).port));
        await askByHand(connection);
        // More requests than any client may have under way, and nobody reads their answers.
        const flood = writeAll(connection, `${POST}\r\n`.repeat(100_000)).catch(() => {});
        await chat([node.url, node.url]);
        connection.close();
        await flood;
      }
      await using redis = await startRedis();
      const bus = redisUrl(redis, "runtimes:");
      await using one = await ForeignProcess.start(command(), [program, bus]);
      await using two = await ForeignProcess.start(command(), [program, bus]);
      await chat([one.url, two.url]);
    } finally {
      await Deno.remove(program);
    }
  });
}
