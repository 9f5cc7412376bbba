import { assertEquals, assertLess } from "@std/assert";
import { figure } from "./figures.ts";
import { HubPeer } from "./hub_peer.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { frame, frameHead, Opcode, RawSocket } from "./raw_socket.ts";
import { frameOf, joined, PROTOCOL_NAMES, type Written } from "./wire_format.ts";
import { Witness } from "./witness.ts";

const EMPTY = new Uint8Array();
const decoder = new TextDecoder();
/** What asks for a reconnect. */
const RECONNECT = '{"type":7,"allowReconnect":true}\x1e';

/** `count` frames of the same payload, as bytes. */
function frames(count: number, payload: Uint8Array | string): Uint8Array {
  const one = frame(typeof payload === "string" ? Opcode.Text : Opcode.Binary, payload);
  const many = new Uint8Array(count * one.length);
  for (let at = 0; at < many.length; at += one.length) many.set(one, at);
  return many;
}

/** Resolves when everything that was sent has been received: a pong comes behind it. */
async function received(socket: RawSocket): Promise<void> {
  await socket.send(Opcode.Ping, "");
  for (let frame; (frame = await socket.receive()) !== undefined;) {
    if (frame.opcode === Opcode.Pong) return;
    if (frame.opcode === Opcode.Close) break;
  }
  throw new Error("The connection has ended");
}

/** Sends until the node has closed; returns the last text that the node sent. */
async function sendAll(socket: RawSocket, chunks: Iterable<Uint8Array>): Promise<string> {
  const writing = (async () => {
    for (const chunk of chunks) await socket.write(chunk);
  })();
  // It has been closed, as it should be; or nobody reads what comes behind the close.
  writing.catch(() => {});
  let last = "";
  for (let frame; (frame = await socket.receive())?.opcode !== Opcode.Close;) {
    if (frame === undefined) break;
    if (frame.opcode <= Opcode.Binary) last = decoder.decode(frame.payload);
  }
  return last;
}

/** Fails if the node goes on holding much more than before, while the peer is there. */
async function costs(witness: Witness, before: number, what: string): Promise<void> {
  const grown = await witness.backTo(before, 6);
  figure(`${what}: ${grown.toFixed(1)} MiB`);
}

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
      await socket.receive();
    }
    // The length of a message of MessagePack; the beginning of one of JSON.
    await socket.send(Opcode.Binary, new Uint8Array([0xff, 0xff, 0x3f]));
    for (let sent = 0; sent < bytes; sent += 20_000) await socket.write(flood());
    await received(socket);
    await costs(witness, before, `200,000 bytes of ${protocol || "handshake"}`);
  }
  await witness.alone();
}, { maximumReceiveMessageSize: 250_000 });

onEachNode("empty messages are not kept", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  for (const protocol of PROTOCOL_NAMES) {
    using socket = await RawSocket.shakeHands(node.port, protocol);
    await socket.receive();
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
});

onEachNode("64 MiB in one message hold up nobody", async (node) => {
  await using witness = await Witness.start(node);
  const ping = '{"type":6}\x1e';
  const pings = ping.repeat(Math.floor(2 ** 26 / ping.length));
  const one = `{"type":6,"x":"${"x".repeat(2 ** 26 - 30)}"}\x1e`;
  const tooLarge =
    '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e';
  for (const [text, close] of [[pings, RECONNECT], [one, tooLarge]] as const) {
    using socket = await RawSocket.shakeHands(node.port);
    await socket.receive();
    const last = await sendAll(socket, [frame(Opcode.Text, text)]);
    // Where the message is bounded before it is whole, there is nothing to read and no Close.
    assertEquals(last, node.server === "fetch" ? close : "");
    figure(`64 MiB in a message, closed: ${node.usage().rssMiB} MiB`);
  }
  await witness.alone();
});

onEachNode("more than may wait to be dispatched closes the connection", async (node) => {
  await using witness = await Witness.start(node);
  const held = joined(
    frameOf("json", { type: 1, target: "hold", arguments: [], streamIds: ["s"] }),
  );
  const item = frameOf("json", { type: 2, invocationId: "s", item: "x".repeat(1000) });
  const many = (count: number, text: Uint8Array) =>
    Array.from({ length: count }, () => frame(Opcode.Text, decoder.decode(text).repeat(20)));
  // Items of an upload that nobody reads, and calls behind one that takes its time.
  const headers = { x: "x".repeat(1000) };
  const slow = frameOf("json", { type: 1, headers, target: "slow", arguments: [] });
  for (const [first, next] of [[held, item], [slow, slow]] as const) {
    using socket = await RawSocket.shakeHands(node.port);
    await socket.receive();
    await socket.send(Opcode.Text, first);
    const last = sendAll(socket, many(200, next));
    // Where reading can be stopped, the flood waits in the sender.
    if (node.server === "fetch") assertEquals(await last, RECONNECT);
    else socket[Symbol.dispose]();
    await last.catch(() => {});
  }
  await witness.alone();
});

onEachNode("a peer that asks and never reads is closed", async (node) => {
  await using witness = await Witness.start(node);
  using socket = await RawSocket.shakeHands(node.port);
  const echo = frame(
    Opcode.Text,
    frameOf("json", {
      type: 1,
      invocationId: "1",
      target: "echo",
      arguments: ["x".repeat(30_000)],
    }),
  );
  // 30 MiB to be answered, against a limit of 1 MiB and what the system takes.
  try {
    for (let calls = 0; calls < 1000; calls++) await socket.write(echo);
  } catch {
    // It has been closed, as it should be.
  }
  await witness.alone();
});

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
});

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
});

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
});

/** What fragments that never end come to: what a platform cannot bound has a cost. */
async function endless(node: MeasuredNode, witness: Witness, mebibytes: number): Promise<number> {
  const before = node.usage().rssMiB;
  using socket = await RawSocket.shakeHands(node.port);
  await socket.receive();
  const fragment = frame(Opcode.Continuation, "x".repeat(2 ** 20), false);
  const fragments = Array.from({ length: mebibytes }, () => fragment);
  await socket.send(Opcode.Text, "x", false);
  if (node.server === "fetch") {
    for (const fragment of fragments) await socket.write(fragment);
    await received(socket);
  } else {
    assertEquals(await sendAll(socket, fragments), "");
    await witness.alone();
  }
  return node.usage().rssMiB - before;
}

onEachNode("fragments that never end are bounded, or end with their connection", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  for (const mebibytes of [32, 64, 128]) {
    const grown = await endless(node, witness, mebibytes);
    await witness.alone();
    figure(`${mebibytes} MiB of fragments: ${grown} MiB more while they last`);
    if (node.server !== "fetch") assertLess(grown, 64);
  }
  const kept = await witness.backTo(before, 8);
  figure(`after three such connections: ${kept.toFixed(1)} MiB more`);
});
