import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async";
import { figure } from "./figures.ts";
import { inspected, inspecting, NOBODY } from "./raw_requests.ts";
import { HubPeer, negotiateStateful } from "../../kit/hub_peer.ts";
import { onEachNode } from "./measured_node.ts";
import { frame, Opcode, RawSocket } from "../../kit/socket.ts";
import { frameOf } from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";
import { PollingPeer } from "../../kit/polling.ts";
import { ask } from "../../kit/http.ts";

const PEERS = 20;
const JOIN = new TextDecoder().decode(
  frameOf("json", { type: 1, target: "join", arguments: ["all"] }),
);
const HANDSHAKE = '{"protocol":"json","version":1}\x1e';

/** Sends a group eight times what may be unsent to one client, and what the system takes for it. */
async function flood(port: number): Promise<void> {
  using teller = await HubPeer.open(port, "json");
  const call = { type: 1, invocationId: "1", target: "flood", arguments: ["all", 512, 16 * 1024] };
  await teller.send(frameOf("json", call));
  assertEquals((await deadline(teller.next(), 30_000))?.result, 512);
  await teller.leave();
}

onEachNode("event streams that nobody reads are closed", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  const streams: Deno.TcpConn[] = [];
  for (let index = 0; index < PEERS; index++) {
    const peer = await PollingPeer.negotiate(node.port);
    const stream = await peer.openUnread();
    assert(await stream.read(new Uint8Array(1)) === 1);
    streams.push(stream);
    assertEquals((await peer.post(HANDSHAKE + JOIN)).status, 200);
    // A second stream and a poll for the same connection are refused.
    const accept = { headers: { accept: "text/event-stream" } };
    assertEquals((await ask(peer.url, accept)).status, 409);
    const changed = { status: 400, text: "Cannot change transports mid-connection" };
    assertEquals(await peer.poll(), changed);
  }
  await witness.alone(PEERS);
  await witness.meanwhile(flood(node.port));
  await witness.alone();
  figure(`${PEERS} unread event streams, closed: ${node.usage().rssMiB} MiB`);
  for (const stream of streams) stream.close();
  await witness.backTo(before, 8);
}).forEach((test) => Deno.test(test));

onEachNode("clients that never poll again are closed at the limit", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  const peers: PollingPeer[] = [];
  for (let index = 0; index < PEERS; index++) {
    const peer = await PollingPeer.connect(node.port);
    assertEquals((await peer.post(JOIN)).status, 200);
    peers.push(peer);
  }
  await witness.alone(PEERS);
  await witness.meanwhile(flood(node.port));
  await witness.alone();
  for (const peer of peers) assertEquals(await peer.poll(), NOBODY);
  await witness.backTo(before, 8);
}).forEach((test) => Deno.test(test));

onEachNode(
  "pings without end, whose pongs nobody reads, end with their connection",
  async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    {
      using socket = await RawSocket.shakeHands(node.port);
      const ping = frame(Opcode.Ping, "x".repeat(125));
      const pings = new Uint8Array(1000 * ping.length);
      for (let at = 0; at < pings.length; at += ping.length) pings.set(ping, at);
      // 64 MiB, or as much as the node takes: it may stop reading.
      for (let sent = 0; sent < 2 ** 26; sent += pings.length) {
        const write = socket.write(pings).then(() => true, () => false);
        if (!await Promise.race([write, moment(witness)])) break;
      }
      figure(`64 MiB of unread pongs: ${node.usage().rssMiB} MiB`);
    }
    await witness.alone();
    await witness.backTo(before, 8);
  },
).forEach((test) => Deno.test(test));

/** Resolves when the witness was answered a hundred times: the node is not busy with anything else. */
async function moment(witness: Witness): Promise<false> {
  for (let calls = 0; calls < 100; calls++) await witness.open();
  return false;
}

onEachNode("hundreds of sockets for one connection leave it to the last", async (node) => {
  await using witness = await Witness.start(node);
  const token = await negotiateStateful(node.port);
  using first = await RawSocket.open(node.port, `/hub?id=${token}`);
  await first.send(Opcode.Text, '{"protocol":"json","version":2}\x1e');
  await first.next();
  const sockets: RawSocket[] = [];
  for (let index = 0; index < 200; index++) {
    sockets.push(await RawSocket.open(node.port, `/hub?id=${token}`));
  }
  const last = sockets.at(-1);
  assert(last !== undefined);
  const decoder = new TextDecoder();
  assertEquals(decoder.decode((await last.next())?.payload), '{"type":9,"sequenceId":1}\x1e');
  // What the others still say does not count.
  for (const socket of sockets.slice(0, -1)) {
    await socket.send(Opcode.Text, "garbage\x1e").catch(() => {});
  }
  await last.send(Opcode.Text, inspecting(1, "x"));
  assertEquals(decoder.decode((await last.next())?.payload), inspected(1, '"x"'));
  await witness.alone(1);
  await last.sendClose(1000);
  for (const socket of sockets) socket[Symbol.dispose]();
  await witness.alone();
}).forEach((test) => Deno.test(test));
