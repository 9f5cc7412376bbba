import { assert, assertEquals } from "@std/assert";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { bounded } from "../../kit/wait.ts";
import { unhex } from "../../kit/hex.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const hub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    async read(_context: Context, items: AsyncIterable<unknown>) {
      const all: unknown[] = [];
      try {
        for await (const item of items) all.push(item);
      } catch (error) {
        all.push(`${error}`);
      }
      return all;
    },
  },
});

/** Values that MessagePack has and a hub method cannot get. */
const UNREADABLE = ["d40501", "81a95f5f70726f746f5f5f01", "819001", "91".repeat(70) + "90"];

/** Sends records and gives the next message. */
async function exchange(socket: RawSocket, ...records: readonly string[]): Promise<HubMessage> {
  for (const record of records) {
    await socket.send(Opcode.Binary, messagepackProtocol.frame(unhex(record)) as Uint8Array);
  }
  const reader = messagepackProtocol.reader(null);
  reader.push((await bounded(socket.receive())).payload);
  const message = messagepackProtocol.parse(reader.read() ?? "");
  assert(message !== undefined);
  return message;
}

onEachServer(
  "an item that cannot be read ends its upload with an error, and nothing else",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub } });
    using socket = await RawSocket.connect(node.port, "/hub", "messagepack");
    for (const value of UNREADABLE) {
      const answer = await exchange(
        socket,
        "960180a131a472656164" + "90" + "91a173",
        "940280a17305",
        `940280a173${value}`,
        // Nobody waits for these any more.
        "940280a17306",
        "940380a17302",
      );
      assert(answer.type === 3);
      assertEquals(answer.result, [5, "HubError: Failed to bind Stream message."], value);
    }
    assertEquals(node.log.lines, []);
  },
).forEach((test) => Deno.test(test));

onEachServer("an argument that cannot be read fails its call, and nothing else", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub }, detailedErrors: true });
  using socket = await RawSocket.connect(node.port, "/hub", "messagepack");
  for (const value of UNREADABLE) {
    const answer = await exchange(socket, `960180a131a46563686f91${value}90`);
    assert(answer.type === 3);
    assertEquals(
      answer.error,
      "Failed to invoke 'echo' due to an error on the server. InvalidDataException: Error binding " +
        "arguments. Make sure that the types of the provided values match the types of the hub " +
        "method being invoked.",
    );
  }
  const alive = await exchange(socket, "960180a131a46563686f910590");
  assert(alive.type === 3);
  assertEquals(alive.result, 5);
}).forEach((test) => Deno.test(test));

onEachServer(
  "integers of 64 bits, NaN and half an emoji come back from a method as they are",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub } });
    using socket = await RawSocket.connect(node.port, "/hub", "messagepack");
    const values = [
      ["cf0020000000000001", 9007199254740993n],
      ["cfffffffffffffffff", 18446744073709551615n],
      ["d38000000000000000", -9223372036854775808n],
      ["cb7ff8000000000000", NaN],
      ["a3eda0bd", "\ufffd"],
    ] as const;
    for (const [value, meaning] of values) {
      const answer = await exchange(socket, `960180a131a46563686f91${value}90`);
      assert(answer.type === 3);
      assertEquals(answer.result, meaning);
    }
  },
).forEach((test) => Deno.test(test));
