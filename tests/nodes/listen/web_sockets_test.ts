import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { bounded, until } from "../../kit/wait.ts";
import { closeStatus, Opcode, RawSocket } from "../../kit/socket.ts";
import { requestBytes } from "../../kit/http.ts";
import { TcpReader, writeAll } from "../../kit/tcp.ts";
import { Listening } from "./listening.ts";
import { invocation } from "../../kit/messages.ts";

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** A WebSocket on a socket that the test writes to as it likes, after the handshake of the hub. */
async function open(listening: Listening): Promise<[Deno.TcpConn, TcpReader]> {
  const connection = await listening.dial();
  connection.setNoDelay();
  const reader = new TcpReader(connection);
  const request = requestBytes({ method: "GET", path: "/hub", headers: UPGRADE });
  await writeAll(connection, request);
  await reader.takeUntil("\r\n\r\n");
  await writeAll(connection, textFrame('{"protocol":"json","version":1}\x1e'));
  await reader.take(5);
  return [connection, reader];
}

/** The head of a frame and a mask of zeros, which leaves what follows as it is. */
function head(first: number, length: number): Uint8Array<ArrayBuffer> {
  const wide = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = new Uint8Array(2 + wide + 4);
  const view = new DataView(bytes.buffer);
  bytes[0] = first;
  bytes[1] = 0x80 | (wide === 0 ? length : wide === 2 ? 126 : 127);
  if (wide === 2) view.setUint16(2, length);
  if (wide === 8) view.setBigUint64(2, BigInt(length));
  return bytes;
}

function frame(first: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...head(first, payload.length), ...payload]);
}

function textFrame(text: string): Uint8Array<ArrayBuffer> {
  return frame(0x81, new TextEncoder().encode(text));
}

/** Writes again and again until the peer has ended the connection; how much it took. */
async function writeUntilCut(connection: Deno.Conn, bytes: Uint8Array): Promise<number> {
  let taken = 0;
  try {
    for (;;) taken += await connection.write(bytes);
  } catch {
    return taken;
  }
}

/** What comes until the connection ends, by a reset or not. */
async function rest(reader: TcpReader): Promise<Uint8Array> {
  return await bounded(reader.takeAll()) ?? new Uint8Array();
}

Deno.test("listen() refuses a frame by its head when it is larger than a message may be", async () => {
  await using listening = await Listening.start({}, { maximumQueuedReceiveBytes: 100_000 });
  const [connection, reader] = await open(listening);
  await writeAll(connection, head(0x81, 100_001));
  const answer = await rest(reader);
  connection.close();
  assertEquals([...answer.subarray(0, 4)], [0x88, 2, 1009 >> 8, 1009 & 0xff]);
  assertEquals(await listening.ends.next(), undefined);
});

Deno.test("listen() takes a message of many records that are as large as may wait together", async () => {
  await using listening = await Listening.start({}, { maximumQueuedReceiveBytes: 100_000 });
  using socket = await RawSocket.connect(listening.port, "/hub");
  const call = '{"type":1,"invocationId":"1","target":"count","arguments":[]}\x1e';
  const ping = '{"type":6}\x1e';
  await socket.sendText(ping.repeat((100_000 - call.length) / ping.length) + call);
  const { payload } = await socket.receive();
  assertEquals(new TextDecoder().decode(payload), '{"type":3,"invocationId":"1","result":1}\x1e');
});

Deno.test("listen() takes a message as large as maximumReceiveMessageSize, in fragments too", async () => {
  const options = { maximumQueuedReceiveBytes: 1000, maximumReceiveMessageSize: 200_000 };
  await using listening = await Listening.start({}, options);
  using socket = await RawSocket.connect(listening.port, "/hub");
  const text = '{"type":1,"invocationId":"1","target":"count","arguments":[]'.padEnd(199_998) +
    "}\x1e";
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 1000) {
    const opcode = at === 0 ? Opcode.Text : Opcode.Continuation;
    await socket.send(opcode, bytes.subarray(at, at + 1000), at + 1000 >= bytes.length);
  }
  const { payload } = await socket.receive();
  assertEquals(new TextDecoder().decode(payload), '{"type":3,"invocationId":"1","result":1}\x1e');
});

const ENDLESS = [
  { what: "bytes", piece: frame(0, new Uint8Array(60_000)), code: 1009 },
  { what: "tiny fragments", piece: frame(0, new Uint8Array(1)), code: 1008 },
  { what: "empty fragments", piece: frame(0, new Uint8Array()), code: 1008 },
];

Deno.test("listen() ends a message that has no end, and reads no more of it", async () => {
  await using listening = await Listening.start();
  await Promise.all(ENDLESS.map(async ({ what, piece, code }) => {
    const [connection, reader] = await open(listening);
    await writeAll(connection, frame(0x01, new Uint8Array(1)));
    const answer = rest(reader);
    const pieces = new Uint8Array(piece.length * 1000);
    for (let at = 0; at < pieces.length; at += piece.length) pieces.set(piece, at);
    assertLess(await bounded(writeUntilCut(connection, pieces)), 20 * 1024 * 1024, what);
    connection.close();
    assertEquals([...(await answer).subarray(0, 4)], [0x88, 2, code >> 8, code & 0xff], what);
  }));
  assertEquals(await listening.ends.take(3), [undefined, undefined, undefined]);
});

Deno.test("listen() stops reading from a client that floods a slow method, and serves it all in the end", async () => {
  // More than the buffers of both ends may grow to: 24 MB.
  const calls = 24_000;
  const padded = `{"type":1,"target":"count","arguments":[],"padding":"${"x".repeat(950)}"}\x1e`;
  await using listening = await Listening.start();
  const [connection, reader] = await open(listening);
  await writeAll(connection, textFrame(invocation("wait")));
  const call = await listening.waiting.next();
  const batch = textFrame(padded.repeat(10));
  let written = 0;
  const writing = (async () => {
    for (let sent = 0; sent < calls; sent += 10) {
      await writeAll(connection, batch);
      written += batch.length;
    }
    const last = '{"type":1,"invocationId":"1","target":"count","arguments":[]}\x1e';
    await writeAll(connection, textFrame(last));
  })();
  // It has stopped when nothing more is taken while others are served.
  let before = -1;
  await until(async () => {
    const stopped = written === before;
    before = written;
    for (let n = 0; n < 20; n++) {
      using socket = await RawSocket.connect(listening.port, "/hub");
      await socket.sendClose(1000);
    }
    return stopped;
  });
  assertLess(written, batch.length * calls / 10);
  call.resolve();
  await writing;
  assert(await reader.takeUntil(`"result":${calls + 1}}`) !== undefined);
  connection.close();
});

Deno.test("listen() drops a peer that does not read, at once and for good", async () => {
  await using listening = await Listening.start({}, { maximumBufferedBytes: 100_000 });
  const [connection, reader] = await open(listening);
  await writeAll(
    connection,
    textFrame('{"type":1,"target":"join","invocationId":"1","arguments":["g"]}\x1e'),
  );
  await reader.takeUntil('"invocationId":"1"');
  const { clients } = listening.server.hub("/hub");
  const text = "x".repeat(50_000);
  for (let n = 0; listening.ends.all.length === 0; n++) {
    assertLess(n, 1000);
    await clients.group("g").send("got", text);
    // Lets the system take it.
    await delay(0);
  }
  // What the system had taken can still be read; then the connection is at its end, without a close.
  const left = await rest(reader);
  connection.close();
  assertGreater(left.length, 100_000);
  assertEquals(new TextDecoder().decode(left).includes('"type":7'), false);
});

Deno.test("listen() drops a peer that pings without end and reads none of the answers", async () => {
  await using listening = await Listening.start();
  const [connection] = await open(listening);
  const pings = new Uint8Array(131 * 100);
  for (let at = 0; at < pings.length; at += 131) pings.set(frame(0x89, new Uint8Array(125)), at);
  assertLess(await bounded(writeUntilCut(connection, pings)), 20 * 1024 * 1024);
  connection.close();
  assertEquals(await listening.ends.next(), undefined);
});

Deno.test("listen() answers with the subprotocols and extensions that it has: none", async () => {
  await using listening = await Listening.start();
  const headers = {
    "sec-websocket-protocol": "one, two",
    "sec-websocket-extensions": "permessage-deflate",
  };
  const { response, socket } = await RawSocket.request(listening.port, "/hub", headers);
  using _socket = socket;
  assertEquals(response.status, 101);
  assertEquals(Object.keys(response.headers).sort(), [
    "connection",
    "sec-websocket-accept",
    "upgrade",
  ]);
});

Deno.test("listen() drops the socket of a client that leaves its close frame unanswered", async () => {
  await using listening = await Listening.start();
  using socket = await RawSocket.connect(listening.port, "/hub");
  await socket.sendText(invocation("leave"));
  assertEquals(new TextDecoder().decode((await socket.receive()).payload), '{"type":7}\x1e');
  assertEquals(closeStatus(await socket.receive()), { code: 1000, reason: "" });
  assertEquals(await listening.ends.next(), undefined);
  await bounded(socket.ended());
});

Deno.test("close() of a listener closes WebSockets with 1001, and cuts those that do not answer", async () => {
  await using listening = await Listening.start();
  using socket = await RawSocket.connect(listening.port, "/hub");
  const closed = listening.listener.close();
  const goodbye = await socket.receive();
  assertEquals(closeStatus(goodbye), { code: 1001, reason: "Server shutting down" });
  // It keeps silent.
  await bounded(closed);
  await bounded(socket.ended());
});

Deno.test("the last of many pings is answered, and few of the others, in between messages", async () => {
  await using listening = await Listening.start();
  using socket = await RawSocket.connect(listening.port, "/hub");
  const pings = Array.from(
    { length: 2000 },
    (_, n) => frame(0x80 | Opcode.Ping, new TextEncoder().encode(`${n}`)),
  );
  await socket.write(new Uint8Array(pings.flatMap((ping) => [...ping])));
  const pongs: string[] = [];
  while (pongs.at(-1) !== "1999") {
    const { opcode, payload } = await bounded(socket.receive());
    if (opcode === Opcode.Pong) pongs.push(new TextDecoder().decode(payload));
  }
  assertEquals(pongs[0], "0");
  assertLess(pongs.length, 200);
});
