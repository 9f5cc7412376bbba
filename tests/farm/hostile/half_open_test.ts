import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { figure, report } from "./figures.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { Opcode, RawSocket, upgradeRequest } from "../../kit/socket.ts";
import { dial, writeAll } from "../../kit/tcp.ts";
import { sized } from "../../kit/sizes.ts";
import { Witness } from "./witness.ts";

const COUNT = 10_000;
/** How many are negotiated. */
const NEGOTIATED = sized(2000, COUNT);
/** How many are opened at a time. */
const LANES = 50;

/** How often something is done until the witness must have been served. */
const BATCH = 250;

/** Does something `count` times, some at a time. */
async function times<T>(
  witness: Witness,
  count: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: LANES }, async () => {
    while (next < count) {
      const index = next++;
      results.push(await work(index));
      // The other lanes go on.
      if (index % BATCH === 0) await witness.served();
    }
  }));
  return results;
}

/** Resolves when the node has given the descriptors back. */
async function descriptorsBackTo(node: MeasuredNode, count: number): Promise<void> {
  for (let tries = 0; node.usage().descriptors > count; tries++) {
    assert(tries < 300, "descriptors are left");
    await delay(50);
  }
}

async function negotiate(port: number): Promise<string> {
  const url = `http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1`;
  const response = await fetch(url, { method: "POST" });
  return (await response.json()).connectionToken;
}

/** Sends a body to a connection that has no transport. */
async function post(port: number, token: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/hub?id=${token}`;
  const response = await fetch(url, { method: "POST", body: "x".repeat(1000) });
  await response.body?.cancel();
  return response.status;
}

onEachNode(
  `${NEGOTIATED} connections that are negotiated and never come are not kept at all`,
  async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    const tokens = await times(witness, NEGOTIATED, () => negotiate(node.port));
    assertEquals(new Set(tokens).size, NEGOTIATED);
    const pending = async () => (await node.state()).more["pending tokens"] ?? Infinity;
    assertEquals(await pending(), 0);
    const kept = await witness.backTo(before, 3);
    figure(`${NEGOTIATED} negotiated: ${kept.toFixed(1)} MiB`);
  },
).forEach((test) => Deno.test(test));

onEachNode(
  `${NEGOTIATED} connections that only a body comes for are forgotten`,
  async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    const statuses = await times(witness, NEGOTIATED, async () => {
      return await post(node.port, await negotiate(node.port));
    });
    assertEquals(new Set(statuses), new Set([200]));
    const pending = async () => (await node.state()).more["pending tokens"] ?? Infinity;
    assert(await pending() > 0);
    const most = await witness.liveMiB() - before;
    figure(`${NEGOTIATED} negotiated, with a body: ${most.toFixed(1)} MiB`);
    for (let tries = 0; await pending() > 0; tries++) {
      assert(tries < 120, "some are not forgotten");
      await delay(500);
    }
    const kept = await witness.backTo(before, 3);
    figure(`when they are forgotten: ${kept.toFixed(1)} MiB`);
    assertEquals(await post(node.port, await negotiate(node.port)), 200);
  },
  { disconnectTimeout: sized(5000, 15_000) },
).forEach((test) => Deno.test(test));

onEachNode(
  "10,000 connections that send nothing, or half a request, cost nobody else anything",
  async (node) => {
    await using witness = await Witness.start(node);
    const before = node.usage();
    const live = await witness.liveMiB();
    report("before", before);
    const half = upgradeRequest("/hub").subarray(0, 30);
    const connections = await times(witness, COUNT, async (index) => {
      const connection = await dial(node.port);
      if (index % 2 === 1) await writeAll(connection, half);
      return connection;
    });
    report("with 10,000 silent connections", node.usage());
    await witness.served();
    // Whoever comes now is served.
    using socket = await RawSocket.shakeHands(node.port);
    assertEquals((await socket.next())?.opcode, Opcode.Text);
    for (const connection of connections) connection.close();
    await descriptorsBackTo(node, before.descriptors + 20);
    figure(`without them: ${(await witness.backTo(live, 8)).toFixed(1)} MiB more`);
  },
).forEach((test) => Deno.test(test));

onEachNode("1,000 WebSockets that shake no hands are refused in time", async (node) => {
  await using witness = await Witness.start(node);
  const live = await witness.liveMiB();
  const refused = '{"error":"Handshake was canceled."}\x1e';
  const begun = ["", "{", '{"protocol":"json"', "\0".repeat(30_000)];
  const sockets = await times(witness, 1000, async (index) => {
    const socket = await RawSocket.open(node.port);
    const text = begun[index % begun.length] ?? "";
    if (text !== "") await socket.send(Opcode.Text, text);
    return socket;
  });
  figure(`1,000 WebSockets without a handshake: ${node.usage().rssMiB} MiB`);
  for (const socket of sockets) {
    const answer = await socket.next();
    assertEquals(new TextDecoder().decode(answer?.payload), refused);
    assertEquals((await socket.next())?.opcode, Opcode.Close);
    socket[Symbol.dispose]();
  }
  await witness.alone();
  await witness.backTo(live, 8);
}, { handshakeTimeout: 2000 }).forEach((test) => Deno.test(test));

/** Handshakes that are no use, and what is said to them. */
const HANDSHAKES: Readonly<Record<string, string>> = {
  "": "An unexpected error occurred during connection handshake.",
  "[]": "An unexpected error occurred during connection handshake.",
  '{"protocol":"__proto__","version":1}': "The protocol '__proto__' is not supported.",
  '{"protocol":"constructor","version":1}': "The protocol 'constructor' is not supported.",
  '{"protocol":"json","version":99}':
    "The server does not support version 99 of the 'json' protocol.",
  '{"protocol":"messagepack","version":99}':
    "The server does not support version 99 of the 'messagepack' protocol.",
  '{"protocol":"json","version":1e400}':
    "An unexpected error occurred during connection handshake.",
  '{"__proto__":{"protocol":"json","version":1}}':
    "An unexpected error occurred during connection handshake.",
};

onEachNode("a flood of handshakes that are no use is refused one by one", async (node) => {
  await using witness = await Witness.start(node);
  const live = await witness.liveMiB();
  const kinds = Object.entries(HANDSHAKES);
  kinds.push(["x".repeat(40_000), "Handshake was canceled."]);
  await times(witness, 1000, async (index) => {
    const [text, error] = kinds[index % kinds.length] ?? ["", ""];
    using socket = await RawSocket.open(node.port);
    await socket.send(Opcode.Text, `${text}\x1e`);
    const answer = JSON.stringify({ error }) + "\x1e";
    assertEquals(new TextDecoder().decode((await socket.next())?.payload), answer);
    assertEquals((await socket.next())?.opcode, Opcode.Close);
  });
  await witness.alone();
  figure(`1,000 handshakes refused: ${(await witness.backTo(live, 8)).toFixed(1)} MiB more`);
}).forEach((test) => Deno.test(test));
