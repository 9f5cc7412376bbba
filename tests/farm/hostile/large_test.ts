import { assertEquals, assertLess } from "@std/assert";
import { figure } from "./figures.ts";
import { pieces, received, sendAll } from "./flooding.ts";
import { repeated } from "./repeated.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { frame, Opcode, RawSocket } from "../../kit/socket.ts";
import {
  type Answer,
  frameOf,
  lengthPrefixed,
  PROTOCOL_NAMES,
  type ProtocolName,
  readAnswers,
} from "../../kit/wire_format.ts";
import { sized } from "../../kit/sizes.ts";
import { Witness } from "./witness.ts";

/** What asks for a reconnect. */
const RECONNECT: Answer = { type: 7, allowReconnect: true };
const MEBIBYTES = sized(16, 64);
const SIZE = MEBIBYTES * 2 ** 20;

/** Many MiB in one message: very many small ones of the hub, and a single one. */
const LARGE: Readonly<Record<ProtocolName, () => readonly Uint8Array[]>> = {
  json: () => [
    repeated(frameOf("json", { type: 6 }), SIZE),
    new TextEncoder().encode(`{"type":6,"x":"${"x".repeat(SIZE - 30)}"}\x1e`),
  ],
  messagepack: () => [
    repeated(frameOf("messagepack", { type: 6 }), SIZE),
    lengthPrefixed(new Uint8Array(SIZE - 30).fill(0xc0).fill(0xdd, 0, 1)),
  ],
};

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(`${MEBIBYTES} MiB in one message hold up nobody, in ${protocol}`, async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    const error = "Connection closed with an error.";
    const closes = [RECONNECT, { type: 7, error, allowReconnect: true }];
    for (const [index, payload] of LARGE[protocol]().entries()) {
      using socket = await RawSocket.shakeHands(node.port, protocol);
      await socket.next();
      const opcode = protocol === "json" ? Opcode.Text : Opcode.Binary;
      const last = await sendAll(socket, witness, pieces(frame(opcode, payload)));
      // Where the message is bounded before it is whole, there is nothing to read and no Close.
      const expected = node.server === "fetch" ? [closes[index]] : [];
      assertEquals<unknown>(readAnswers(protocol, last), expected);
      figure(`${MEBIBYTES} MiB in a message of ${protocol}, closed: ${node.usage().rssMiB} MiB`);
    }
    await witness.alone();
    await witness.backTo(before, 8);
  }).forEach((test) => Deno.test(test));
}

/** What fragments that never end come to: what a platform cannot bound has a cost. */
async function endless(
  node: MeasuredNode,
  witness: Witness,
  protocol: ProtocolName,
  mebibytes: number,
): Promise<number> {
  const before = node.usage().rssMiB;
  using socket = await RawSocket.shakeHands(node.port, protocol);
  await socket.next();
  const fragment = frame(Opcode.Continuation, "x".repeat(2 ** 20), false);
  const four = repeated(fragment, 4 * fragment.length);
  const fragments = Array.from({ length: mebibytes / 4 }, () => four);
  await socket.send(protocol === "json" ? Opcode.Text : Opcode.Binary, "x", false);
  if (node.server === "fetch") {
    for (const many of fragments) {
      await socket.write(many);
      await witness.served();
    }
    await received(socket);
  } else {
    assertEquals((await sendAll(socket, witness, fragments)).length, 0);
    await witness.alone();
  }
  return node.usage().rssMiB - before;
}

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(
    `fragments that never end are bounded, or end with their connection, in ${protocol}`,
    async (node) => {
      await using witness = await Witness.start(node);
      const before = await witness.liveMiB();
      for (const mebibytes of [32, 64, 128]) {
        const grown = await endless(node, witness, protocol, mebibytes);
        await witness.alone();
        figure(`${mebibytes} MiB of fragments: ${grown} MiB more while they last`);
        if (node.server !== "fetch") assertLess(grown, 64);
      }
      const kept = await witness.backTo(before, 8);
      figure(`after three such connections: ${kept.toFixed(1)} MiB more`);
    },
  ).forEach((test) => Deno.test(test));
}
