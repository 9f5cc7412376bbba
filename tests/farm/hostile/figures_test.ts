/**
 * The figures of `docs/security.md`: a row of its table for each of {@link MEASURES}. They are measured
 * when they are wanted; that the nodes outlive all this is tested elsewhere in this folder.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { ROOT } from "../../kit/graph.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { figure, wanted } from "./figures.ts";
import { MeasuredNode } from "./measured_node.ts";
import { frame, Opcode, RawSocket, upgradeRequest } from "../../kit/socket.ts";
import { dial, writeAll } from "../../kit/tcp.ts";
import { frameOf } from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";
import { PollingPeer } from "../../kit/polling.ts";

type Measure = (node: MeasuredNode, witness: Witness) => Promise<string>;

/** What strangers do, and what it costs a node. */
const MEASURES: Readonly<Record<string, Measure>> = {
  "1,000 peers never read while 8 MiB are sent to each; all are closed at their limit": unread,
  "the same with a second and a third thousand, when those before have gone": unreadAgain,
  "300 MiB of fragments that never end": fragments,
  "64 MiB in one message: of small records, then of one": largeMessage,
  "10,000 connections that send nothing, or half a request": silent,
  "1,000 bodies that trickle in": trickle,
};

/** As the page writes it. */
function mebibytes(...amounts: readonly number[]): string {
  return `${amounts.map((amount) => amount.toLocaleString("en")).join(", then ")} MiB`;
}

/** Something `count` times, 50 at a time. */
async function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 50 }, async () => {
    while (next < count) results.push(await work(next++));
  }));
  return results;
}

/** Lets a thousand peers join a group, floods it, and calls `look` before they go. */
async function thousand(node: MeasuredNode, witness: Witness, look: () => void): Promise<void> {
  const { descriptors } = node.usage();
  const join = frameOf("json", { type: 1, target: "join", arguments: ["all"] });
  const peers = await times(1000, async () => {
    const peer = await RawSocket.shakeHands(node.port);
    await peer.send(Opcode.Text, join);
    return peer;
  });
  await witness.alone(peers.length);
  assertEquals(await witness.connection.invoke("flood", "all", 512, 16 * 1024), 512);
  await witness.alone();
  look();
  for (const peer of peers) peer[Symbol.dispose]();
  for (let tries = 0; node.usage().descriptors > descriptors + 20; tries++) {
    assert(tries < 600, "descriptors are left");
    await delay(50);
  }
}

async function unread(node: MeasuredNode, witness: Witness): Promise<string> {
  const before = node.usage();
  let text = "";
  await thousand(node, witness, () => {
    const { rssMiB, descriptors } = node.usage();
    const open = descriptors.toLocaleString("en");
    text = `${before.rssMiB} → ${mebibytes(rssMiB)}, ${open} descriptors`;
  });
  return text;
}

async function unreadAgain(node: MeasuredNode, witness: Witness): Promise<string> {
  const resident: number[] = [];
  for (let round = 0; round < 3; round++) {
    await thousand(node, witness, () => resident.push(node.usage().rssMiB));
  }
  return `${mebibytes(...resident)} in all`;
}

/** How much more is resident after something than before. */
async function more(node: MeasuredNode, work: () => Promise<void>): Promise<string> {
  const before = node.usage().rssMiB;
  await work();
  return `${mebibytes(node.usage().rssMiB - before)} more`;
}

/** Writes as much of it as is taken; returns whether all was read, which a pong then tells. */
async function takes(socket: RawSocket, pieces: Iterable<Uint8Array>): Promise<boolean> {
  try {
    for (const piece of pieces) await socket.write(piece);
    await socket.send(Opcode.Ping, "");
  } catch {
    return false;
  }
  for (let frame; (frame = await socket.next()) !== undefined;) {
    if (frame.opcode === Opcode.Pong) return true;
    if (frame.opcode === Opcode.Close) break;
  }
  return false;
}

async function fragments(node: MeasuredNode): Promise<string> {
  using socket = await RawSocket.shakeHands(node.port);
  await socket.send(Opcode.Text, "x", false);
  const fragment = frame(Opcode.Continuation, "x".repeat(2 ** 20), false);
  let taken = false;
  const grown = await more(node, async () => {
    taken = await takes(socket, Array.from({ length: 300 }, () => fragment));
  });
  return `${grown}${taken ? " while they last" : "; refused"}`;
}

async function largeMessage(node: MeasuredNode): Promise<string> {
  const ping = '{"type":6}\x1e';
  const many = ping.repeat(Math.floor(2 ** 26 / ping.length));
  const one = `{"type":6,"x":"${"x".repeat(2 ** 26 - 30)}"}\x1e`;
  const resident: number[] = [];
  for (const text of [many, one]) {
    using socket = await RawSocket.shakeHands(node.port);
    await socket.write(frame(Opcode.Text, text)).catch(() => {});
    while (((await socket.next())?.opcode ?? Opcode.Close) !== Opcode.Close);
    resident.push(node.usage().rssMiB);
  }
  return `${mebibytes(...resident)} in all`;
}

async function silent(node: MeasuredNode): Promise<string> {
  const half = upgradeRequest("/hub").subarray(0, 30);
  const connections: Deno.TcpConn[] = [];
  const grown = await more(node, async () => {
    await times(10_000, async (index) => {
      const connection = await dial(node.port);
      connections.push(connection);
      if (index % 2 === 1) await writeAll(connection, half);
    });
  });
  for (const connection of connections) connection.close();
  return grown;
}

async function trickle(node: MeasuredNode, witness: Witness): Promise<string> {
  const peer = await PollingPeer.connect(node.port);
  const bodies: Deno.TcpConn[] = [];
  const grown = await more(node, async () => {
    await times(1000, async () => {
      bodies.push(await peer.start("POST", { "content-length": "1000" }, " "));
    });
    await witness.alone(1);
  });
  assertEquals((await peer.delete()).status, 202);
  for (const connection of bodies) connection.close();
  return grown;
}

/** What stands in the first column of the table. */
async function rowsOfPage(): Promise<string[]> {
  const page = await Deno.readTextFile(new URL("docs/security.md", ROOT));
  const [, rest = ""] = page.split("\n### Figures\n");
  const [section = ""] = rest.split("\n### ");
  return section.split("\n").filter((line) => /^\| (?!-|What)/.test(line))
    .map((line) => line.split("|")[1]?.trim() ?? "");
}

Deno.test("docs/security.md has the figures that are measured, and no others", async () => {
  assertEquals(await rowsOfPage(), Object.keys(MEASURES));
});

for (const [what, measure] of wanted ? Object.entries(MEASURES) : []) {
  Deno.test(`figures: ${what}`, async () => {
    const cells: string[] = [];
    for (const server of Object.keys(HOSTS)) {
      await using node = await MeasuredNode.start(server);
      await using witness = await Witness.start(node);
      cells.push(await measure(node, witness));
    }
    figure(`| ${what} | ${cells.join(" | ")} |`);
  });
}
