import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { report } from "./figures.ts";
import { onEachNode } from "./measured_node.ts";
import { Opcode, RawSocket } from "./raw_socket.ts";
import { frameOf } from "./wire_format.ts";
import { Witness } from "./witness.ts";

const PEERS = 1000;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert(tries < 600, `gave up waiting until ${what}`);
    await delay(50);
  }
}

function invocation(target: string, ...args: unknown[]): Uint8Array<ArrayBuffer> {
  return frameOf("json", { type: 1, target, arguments: args });
}

onEachNode("1,000 peers that never read are closed, and nobody else notices", async (node) => {
  await using witness = await Witness.start(node);
  await using healthy = await Witness.start(node);
  const numbers: number[] = [];
  healthy.connection.on("text", (number: number) => numbers.push(number));
  await healthy.connection.invoke("join", "all");
  const before = node.usage();
  report("before", before);

  const peers: RawSocket[] = [];
  for (let number = 0; number < PEERS; number++) {
    const peer = await RawSocket.shakeHands(node.port);
    await peer.send(Opcode.Text, invocation("join", "all"));
    peers.push(peer);
  }
  await witness.alone(PEERS + 1);
  report("with 1,000 peers", node.usage());

  // 8 MiB for each peer, eight times what may be unsent and what the kernel takes for it.
  const sent = await healthy.connection.invoke<number>("flood", "all", 512, 16 * 1024);
  await until(() => numbers.length === sent, "the healthy client has everything");
  assertEquals(numbers, Array.from({ length: sent }, (_, number) => number));
  await witness.alone(1);
  const stalled = node.usage();
  report("stalled and closed", stalled);
  // At most the limit for each (1 MiB), and room for the allocator.
  assertLess(stalled.rssMiB - before.rssMiB, PEERS * 1.5);

  for (const peer of peers) peer[Symbol.dispose]();
  await until(
    () => node.usage().descriptors < before.descriptors + 20,
    "the descriptors of the peers are free",
  );
  report("peers gone", node.usage());
});
