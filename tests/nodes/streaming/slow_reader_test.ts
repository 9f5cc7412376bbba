import { assert, assertEquals } from "@std/assert";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubProtocol } from "../../../hub/protocol/protocol.ts";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { PROTOCOLS } from "../../kit/signalr_client.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { looksAround } from "../../kit/looks_around.ts";

type Context = HubContext<{ got(value: unknown): void }>;

/** The invocation id of the stream. */
const STREAM = "1";
const ITEMS = 10_000;
/** With those of the operating system, buffers hold less than half of all items. */
const ITEM = "x".repeat(4000);

const HUB_PROTOCOLS = { json: jsonProtocol, messagepack: messagepackProtocol };

/** The numbers of a stream's items that a client reads, until it has come to an end. */
async function readStream(socket: RawSocket, protocol: HubProtocol): Promise<number[]> {
  const numbers: number[] = [];
  const reader = protocol.reader(null);
  for (;;) {
    reader.push((await bounded(socket.receive())).payload);
    for (let record = reader.read(); record !== undefined; record = reader.read()) {
      const message = protocol.parse(record);
      if (message?.type === 3 && message.invocationId === STREAM) return numbers;
      if (message?.type === 2) numbers.push(parseInt(String(message.item)));
    }
  }
}

for (const protocol of PROTOCOLS) {
  onEachServer(
    `stream() waits for a client that does not read, and loses nothing (${protocol})`,
    async (serve) => {
      let given = 0;
      const heard = new Events<string>();
      const hub = defineHub({
        methods: {
          async *many(_context: Context) {
            for (; given < ITEMS; given++) yield `${given} ${ITEM}`;
          },
          hear: (_context: Context, text: string) => heard.add(text),
        },
      });
      await using node = await serve({ hubs: { "/hub": hub } });
      using socket = await RawSocket.connect(node.port, "/hub", protocol);
      const hubProtocol = HUB_PROTOCOLS[protocol];
      const send = (type: 1 | 4, invocationId: string, target: string, ...args: unknown[]) => {
        const frame = hubProtocol.write({ type, invocationId, target, arguments: args });
        return typeof frame === "string"
          ? socket.sendText(frame)
          : socket.send(Opcode.Binary, frame);
      };
      await send(4, STREAM, "many");
      await until(async () => {
        const before = given;
        await looksAround();
        return given === before && given > 0;
      });
      assert(given < ITEMS, "buffers have taken everything");
      // What the client says is heard meanwhile, and it is not closed for being slow.
      await send(1, "2", "hear", "I am here");
      assertEquals(await heard.next(), "I am here");
      assertEquals(await readStream(socket, hubProtocol), [...Array(ITEMS).keys()]);
      assertEquals(node.log.lines, []);
    },
  ).forEach((test) => Deno.test(test));
}
