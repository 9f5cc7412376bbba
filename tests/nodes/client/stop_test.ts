/**
 * What a client has sent before it goes is not lost: upstream dispatches what its read loop holds, and
 * here it is all that has arrived.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { invocation } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

type Context = HubContext<Record<never, never>>;

/** A hub whose `hold` runs until it is released, and that writes down what happens. */
function heldHub() {
  const happened = new Events<unknown>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {
      async hold({ signal }: Context) {
        happened.add("held");
        signal.addEventListener("abort", () => happened.add("gone"));
        await released;
      },
      note: (_context: Context, text: unknown) => happened.add(text),
    },
    disconnected: (_context, error) => happened.add(`end ${error?.message}`),
  });
  return { hub, happened, release };
}

const NUMBERS = [1, 2, 3, 4, 5];
const END = "end undefined";

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  onEachServer(`calls that a client sent before stop() run, over ${name}`, async (serve) => {
    const { hub, happened, release } = heldHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    await using client = await SignalRClient.connect(node.url("/hub"), { transport });
    const sent: number[] = [];
    const note = async (number: number) => {
      await client.connection.send("note", number);
      sent.push(number);
    };
    await client.connection.send("hold");
    await Promise.all(NUMBERS.slice(0, 3).map(note));
    // What the client has not posted yet it refuses itself: each is sent, or rejected.
    const late = NUMBERS.slice(3).map(note);
    await Promise.allSettled([client.stop(), ...late]);
    if (name === "WebSockets") assertEquals(sent, NUMBERS);
    assertEquals(await happened.take(2), ["held", "gone"]);
    release();
    assertEquals(await happened.take(sent.length + 1), [...sent, END]);
  }).forEach((test) => Deno.test(test));
}

for (const protocol of PROTOCOLS) {
  onEachServer(
    `calls that a client sent before stop() run, in ${protocol}, several at a time`,
    async (serve) => {
      const { hub, happened, release } = heldHub();
      await using node = await serve({
        hubs: { "/hub": hub },
        maximumParallelInvocationsPerClient: 10,
      });
      await using client = await SignalRClient.connect(node.url("/hub"), { protocol });
      const held = Array.from({ length: 10 }, () => "held");
      for (const _ of held) client.connection.send("hold");
      for (const number of NUMBERS) client.connection.send("note", number);
      await client.stop();
      assertEquals(await happened.take(20), [...held, ...held.map(() => "gone")]);
      release();
      assertEquals(await happened.take(6), [...NUMBERS, END]);
    },
  ).forEach((test) => Deno.test(test));
}

/** How a socket may end. Whoever cuts it waits until the server has read what was sent. */
const ENDS: Readonly<Record<string, (socket: RawSocket) => Promise<unknown>>> = {
  "a close frame": (socket) => socket.sendClose(1000),
  "a Close message and a close frame": async (socket) => {
    await socket.sendText('{"type":7}\x1e');
    await socket.sendClose(1000);
  },
  "the end of its bytes": async (socket) => {
    await wasRead(socket);
    await socket.cut();
  },
  "a reset": async (socket) => {
    await wasRead(socket);
    // What is unread here turns the end into a reset.
    await socket.send(Opcode.Ping, new Uint8Array(0));
    socket[Symbol.dispose]();
  },
};

/** A pong is the answer of a server that has read everything before it. */
async function wasRead(socket: RawSocket): Promise<void> {
  await socket.send(Opcode.Ping, new Uint8Array(0));
  while ((await bounded(socket.receive())).opcode !== Opcode.Pong);
}

for (const [what, end] of Object.entries(ENDS)) {
  onEachServer(`calls that came before ${what} run`, async (serve) => {
    const { hub, happened, release } = heldHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    using socket = await RawSocket.connect(node.port, "/hub");
    await socket.sendText(invocation("hold"));
    for (const number of NUMBERS) await socket.sendText(invocation("note", number));
    await end(socket);
    assertEquals(await happened.take(2), ["held", "gone"]);
    release();
    assertEquals(await happened.take(6), [...NUMBERS, END]);
  }).forEach((test) => Deno.test(test));
}

onEachServer("calls that were posted before a DELETE run", async (serve) => {
  const { hub, happened, release } = heldHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  const connection = await PollingPeer.connect(node.port);
  await connection.invoke("hold");
  for (const number of NUMBERS) await connection.invoke("note", number);
  assertEquals((await connection.send("DELETE")).status, 202);
  assertEquals(await happened.take(2), ["held", "gone"]);
  release();
  assertEquals(await happened.take(6), [...NUMBERS, END]);
}).forEach((test) => Deno.test(test));

onEachServer("more than is read in a turn runs, though its client has gone", async (serve) => {
  const { hub, happened } = heldHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  using socket = await RawSocket.connect(node.port, "/hub");
  await socket.sendText(invocation("note", "x").repeat(10_000));
  await socket.sendClose(1000);
  const all = await happened.take(10_001);
  assertEquals(all.filter((text) => text === "x").length, 10_000);
  assertEquals(all.at(-1), END);
}).forEach((test) => Deno.test(test));

onEachServer(
  "more than a server reads ahead runs, though its client has gone",
  async (serve) => {
    const { hub, happened, release } = heldHub();
    await using node = await serve({ hubs: { "/hub": hub } });
    using socket = await RawSocket.connect(node.port, "/hub");
    await socket.sendText(invocation("hold"));
    for (let part = 0; part < 10; part++) {
      await socket.sendText(
        invocation("note", "x").repeat(300),
      );
    }
    await socket.sendClose(1000);
    assertEquals(await happened.next(), "held");
    release();
    while (await happened.next() !== END);
    assertEquals(happened.all.filter((text) => text === "x").length, 3000);
  },
).forEach((test) => Deno.test(test));

onEachServer("a node that closes does not wait for what a client has left", async (serve) => {
  const { hub, happened, release } = heldHub();
  await using node = await serve({ hubs: { "/hub": hub } });
  using socket = await RawSocket.connect(node.port, "/hub");
  await socket.sendText(invocation("hold") + invocation("note", 1));
  await socket.sendClose(1000);
  assertEquals(await happened.take(2), ["held", "gone"]);
  await bounded(node.server.close());
  assertEquals(await happened.next(), END);
  release();
}).forEach((test) => Deno.test(test));
