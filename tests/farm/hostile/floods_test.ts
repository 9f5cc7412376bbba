import { assertEquals } from "@std/assert";
import { costs, received } from "./flooding.ts";
import { frames } from "./repeated.ts";
import { HubPeer } from "../../kit/hub_peer.ts";
import { onEachNode } from "./measured_node.ts";
import { frame, frameHead, Opcode, RawSocket } from "../../kit/socket.ts";
import { frameOf, joined, PROTOCOL_NAMES, type Written } from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";

const EMPTY = new Uint8Array();

onEachNode("bytes that come one by one cost no more memory or time than together", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  // Looked at again with every byte, these would be 20 billion.
  const bytes = 200_000;
  const flood = () => frames(20_000, "x");
  for (const protocol of ["", ...PROTOCOL_NAMES]) {
    using socket = await RawSocket.open(node.port);
    if (protocol !== "") {
      await socket.send(Opcode.Text, `{"protocol":"${protocol}","version":1}\x1e`);
      await socket.next();
    }
    // The length of a message of MessagePack; the beginning of one of JSON.
    await socket.send(Opcode.Binary, new Uint8Array([0xff, 0xff, 0x3f]));
    for (let sent = 0; sent < bytes; sent += 20_000) await socket.write(flood());
    await received(socket);
    await costs(witness, before, `200,000 bytes of ${protocol || "handshake"}`);
  }
  await witness.alone();
}, { maximumReceiveMessageSize: 250_000 }).forEach((test) => Deno.test(test));

onEachNode("empty messages are not kept", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  for (const protocol of PROTOCOL_NAMES) {
    using socket = await RawSocket.shakeHands(node.port, protocol);
    await socket.next();
    // In the middle of a message, and while nothing is read.
    await socket.send(Opcode.Binary, new Uint8Array([0x7f, 0x96]));
    const slow: Written = { type: 1, target: "slow", arguments: [] };
    using busy = await HubPeer.open(node.port, protocol);
    await busy.send(frameOf(protocol, slow));
    for (let sent = 0; sent < 100_000; sent += 20_000) {
      await socket.write(frames(20_000, EMPTY));
      await busy.socket.write(frames(20_000, EMPTY));
    }
    await received(socket);
    await received(busy.socket);
    await costs(witness, before, `200,000 empty messages in ${protocol}`);
  }
}).forEach((test) => Deno.test(test));

onEachNode("an upload's id can be used again while the call that had it ends", async (node) => {
  using peer = await HubPeer.open(node.port, "json");
  const collect = (invocationId: string): Written => ({
    type: 1,
    invocationId,
    target: "collect",
    arguments: [],
    streamIds: ["s"],
  });
  const item = (item: number): Written => ({ type: 2, invocationId: "s", item });
  const end: Written = { type: 3, invocationId: "s" };
  const write = (...messages: Written[]) =>
    peer.send(joined(...messages.map((message) => frameOf("json", message))));
  await write(collect("1"), item(1), end, collect("2"), item(2));
  assertEquals(await peer.next(), { type: 3, invocationId: "1", result: "[1]" });
  await write(item(3), end);
  assertEquals(await peer.next(), { type: 3, invocationId: "2", result: "[2, 3]" });
  await peer.leave();
}).forEach((test) => Deno.test(test));

/** What breaks the rules of WebSockets, or stretches them. */
const OFFENCES: Readonly<Record<string, Uint8Array>> = {
  "a reserved opcode": frame(3, "x"),
  "a reserved bit": new Uint8Array([0xc1, 0x80, 0, 0, 0, 0]),
  "a frame without a mask": new Uint8Array([0x81, 0x01, 0x78]),
  "a ping in pieces": frame(Opcode.Ping, "x", false),
  "a ping of 200 bytes": frame(Opcode.Ping, "x".repeat(200)),
  "a continuation of nothing": frame(Opcode.Continuation, "x"),
  "a message inside another": joined(frame(Opcode.Text, "x", false), frame(Opcode.Text, "x")),
  "a close of one byte": frame(Opcode.Close, new Uint8Array([3])),
  "a close that nobody may send": frame(Opcode.Close, new Uint8Array([3, 0xed])),
  "a close with a reason that is no UTF-8": frame(Opcode.Close, new Uint8Array([3, 0xe8, 0xff])),
  "text that is no UTF-8": frame(Opcode.Text, new Uint8Array([0xff, 0xfe])),
  "a length of 2^63 bytes": joined(new Uint8Array([0x82, 0xff, 0x80]), new Uint8Array(11)),
  "a length of 2^53 bytes": joined(frameHead(Opcode.Binary, 2 ** 53), new Uint8Array(11)),
  "no frame at all": new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
};

/** What a server lets pass. */
const TOLERATED: Readonly<Record<string, readonly string[]>> = {
  fetch: ["a frame without a mask"],
};

onEachNode("what breaks the rules of WebSockets ends that WebSocket", async (node) => {
  await using witness = await Witness.start(node);
  for (const [name, bytes] of Object.entries(OFFENCES)) {
    for (const shaken of [false, true]) {
      using socket = shaken
        ? await RawSocket.shakeHands(node.port)
        : await RawSocket.open(node.port);
      const tolerated = TOLERATED[node.server]?.includes(name) ?? false;
      await socket.write(bytes);
      const lives = await received(socket).then(() => true, () => false);
      assertEquals(lives, tolerated, name);
    }
  }
  await witness.alone();
}).forEach((test) => Deno.test(test));

onEachNode("a client may leave in the middle of anything", async (node) => {
  await using witness = await Witness.start(node);
  const begun = frameOf("json", { type: 4, invocationId: "1", target: "forever", arguments: [] });
  const upload = frameOf("json", {
    type: 1,
    invocationId: "2",
    target: "hold",
    arguments: [],
    streamIds: ["s"],
  });
  const whole = frame(Opcode.Text, joined(begun, upload));
  for (let length = 0; length <= whole.length; length += 5) {
    for (const leave of [(socket: RawSocket) => socket.sendClose(1000), () => {}]) {
      using socket = await RawSocket.shakeHands(node.port);
      await socket.write(whole.subarray(0, length));
      await leave(socket);
    }
  }
  await witness.alone();
}).forEach((test) => Deno.test(test));
