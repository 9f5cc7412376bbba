import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { closeStatus, type Frame, Opcode, RawSocket } from "../../kit/socket.ts";

interface Client {
  got(value: unknown): void;
}

type Context = HubContext<Client>;

/** A node whose hub reports connections and how they end. */
async function startNode(
  serve: Serve,
  options: { maximumReceiveMessageSize?: number; detailedErrors?: boolean } = {},
) {
  const disconnected = new Events<Error | undefined>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      async burst({ clients }: Context, count: number) {
        for (let n = 0; n < count; n++) clients.caller.send("got", n);
        await clients.caller.send("got", "last");
      },
    },
    disconnected: (_context, error) => disconnected.add(error),
  });
  const node = await serve({ hubs: { "/hub": hub }, ...options });
  return { node, disconnected, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

const encoder = new TextEncoder();

function textOf({ payload }: Frame): string {
  return new TextDecoder().decode(payload);
}

const ECHO = '{"type":1,"invocationId":"1","target":"echo","arguments":["é😀"]}\x1e';
const ECHOED = '{"type":3,"invocationId":"1","result":"é😀"}\x1e';

onEachServer(
  "a node joins the fragments of a message, inside characters too, and answers pings between",
  async (serve) => {
    await using parts = await startNode(serve);
    using socket = await RawSocket.connect(parts.node.port, "/hub");
    const bytes = encoder.encode(ECHO);
    const inside = bytes.indexOf(0xf0) + 2;
    await socket.send(Opcode.Text, bytes.subarray(0, inside), false);
    await socket.send(Opcode.Ping, encoder.encode("still there?"));
    await socket.send(Opcode.Continuation, bytes.subarray(inside, inside + 1), false);
    await socket.send(Opcode.Continuation, new Uint8Array(0), false);
    await socket.send(Opcode.Continuation, bytes.subarray(inside + 1));
    const pong = await socket.receive();
    assertEquals([pong.opcode, textOf(pong)], [Opcode.Pong, "still there?"]);
    assertEquals(textOf(await socket.receive()), ECHOED);
  },
).forEach((test) => Deno.test(test));

onEachServer("a node reads records from binary messages cut inside a character", async (serve) => {
  await using parts = await startNode(serve);
  using socket = await RawSocket.connect(parts.node.port, "/hub");
  const bytes = encoder.encode(ECHO + ECHO);
  const inside = bytes.indexOf(0xf0) + 1;
  await socket.send(Opcode.Binary, bytes.subarray(0, inside));
  await socket.send(Opcode.Binary, bytes.subarray(inside));
  let answers = "";
  while (answers.length < 2 * ECHOED.length) answers += textOf(await socket.receive());
  assertEquals(answers, ECHOED + ECHOED);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a node sends whole records, what it has at hand joined, and nothing in fragments",
  async (serve) => {
    await using parts = await startNode(serve);
    using socket = await RawSocket.connect(parts.node.port, "/hub");
    await socket.sendText('{"type":1,"target":"burst","arguments":[500]}\x1e');
    const values: unknown[] = [];
    let frames = 0;
    while (values.at(-1) !== "last") {
      const frame = await socket.receive();
      frames++;
      assertEquals([frame.opcode, frame.final], [Opcode.Text, true]);
      const records = textOf(frame).split("\x1e");
      assertEquals(records.pop(), "");
      for (const record of records) values.push(JSON.parse(record).arguments[0]);
    }
    assertEquals(values, [...Array(500).keys(), "last"]);
    // The first at once, the rest of the turn in one.
    assertEquals(frames, 2);
  },
).forEach((test) => Deno.test(test));

onEachServer("a node carries a message as large as its limit in both directions", async (serve) => {
  await using parts = await startNode(serve);
  using socket = await RawSocket.connect(parts.node.port, "/hub");
  const frame = (length: number) =>
    `{"type":1,"invocationId":"1","target":"echo","arguments":["${"x".repeat(length)}"]}\x1e`;
  const largest = "x".repeat(32_768 - frame(0).length);
  await socket.sendText(frame(largest.length));
  assertEquals(
    textOf(await socket.receive()),
    `{"type":3,"invocationId":"1","result":"${largest}"}\x1e`,
  );
  await socket.sendText(frame(largest.length + 1));
  assertEquals(
    textOf(await socket.receive()),
    '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e',
  );
  assertEquals(closeStatus(await socket.receive()), { code: 1000, reason: "" });
  const error = await parts.disconnected.next();
  assertEquals(error?.message.startsWith("The maximum message size of 32768B"), true);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a node refuses a message in pieces before it is whole when it is too large",
  async (serve) => {
    await using parts = await startNode(serve, {
      maximumReceiveMessageSize: 100,
      detailedErrors: true,
    });
    using socket = await RawSocket.connect(parts.node.port, "/hub");
    await socket.sendText(`{"type":1,"target":"echo","arguments":["${"x".repeat(30)}`);
    await socket.sendText("x".repeat(60));
    assertEquals(
      textOf(await socket.receive()),
      '{"type":7,"error":"Connection closed with an error. InvalidDataException: The maximum message ' +
        "size of 100B was exceeded. The message size can be configured with maximumReceiveMessageSize." +
        '","allowReconnect":true}\x1e',
    );
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a node ends the connection without error when the client closes, whatever the code",
  async (serve) => {
    await using parts = await startNode(serve);
    const cases: readonly (readonly [sent: number | undefined, answered: number])[] = [
      [1000, 1000],
      [1001, 1001],
      [4999, 4999],
      // An empty close is answered with an empty one: upstream answers 1000.
      [undefined, 1005],
    ];
    for (const [sent, answered] of cases) {
      using socket = await RawSocket.connect(parts.node.port, "/hub");
      await socket.sendClose(sent);
      assertEquals(closeStatus(await socket.receive()).code, answered);
      assertEquals(await parts.disconnected.next(), undefined);
    }
  },
).forEach((test) => Deno.test(test));

onEachServer("a node ends the connection without error when the socket vanishes", async (serve) => {
  await using parts = await startNode(serve);
  const socket = await RawSocket.connect(parts.node.port, "/hub");
  socket[Symbol.dispose]();
  assertEquals(await parts.disconnected.next(), undefined);
}).forEach((test) => Deno.test(test));

onEachServer("a node survives a client that breaks the rules of WebSockets", async (serve) => {
  await using parts = await startNode(serve);
  using witness = await RawSocket.connect(parts.node.port, "/hub");
  const breaches: readonly ((socket: RawSocket) => Promise<void>)[] = [
    // A reserved close code, an opcode that does not exist, a fragment of nothing, text that is not UTF-8.
    (socket) => socket.sendClose(1005),
    (socket) => socket.sendClose(999),
    (socket) => socket.send(3, encoder.encode("x")),
    (socket) => socket.send(Opcode.Continuation, encoder.encode("x")),
    (socket) => socket.send(Opcode.Text, new Uint8Array([0xc3, 0x28])),
  ];
  for (const breach of breaches) {
    using socket = await RawSocket.connect(parts.node.port, "/hub");
    await breach(socket);
    await parts.disconnected.next();
  }
  await witness.sendText(ECHO);
  assertEquals(textOf(await witness.receive()), ECHOED);
}).forEach((test) => Deno.test(test));

onEachServer("a node ends every socket in order when the server is closed", async (serve) => {
  await using parts = await startNode(serve);
  using socket = await RawSocket.connect(parts.node.port, "/hub");
  await bounded(parts.node.server.close());
  assertEquals(textOf(await socket.receive()), '{"type":7,"allowReconnect":true}\x1e');
  assertEquals(closeStatus(await socket.receive()), { code: 1000, reason: "" });
  assertEquals(await parts.disconnected.next(), undefined);
}).forEach((test) => Deno.test(test));
