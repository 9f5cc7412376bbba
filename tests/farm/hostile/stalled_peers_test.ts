import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { report } from "./figures.ts";
import { onEachNode } from "./measured_node.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { frameOf, PROTOCOL_NAMES } from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";

const PEERS = 1000;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert(tries < 600, `gave up waiting until ${what}`);
    await delay(50);
  }
}

onEachNode(
  "1,000 peers of both protocols that never read are closed, and nobody else notices",
  async (node) => {
    await using witness = await Witness.start(node);
    await using healthy = await Witness.start(node);
    const numbers: number[] = [];
    healthy.connection.on("text", (number: number) => numbers.push(number));
    await healthy.connection.invoke("join", "all");
    const before = node.usage();
    report("before", before);

    const peers: RawSocket[] = [];
    for (let number = 0; number < PEERS; number++) {
      const protocol = PROTOCOL_NAMES[number % PROTOCOL_NAMES.length] ?? "json";
      const peer = await RawSocket.shakeHands(node.port, protocol);
      const join = { type: 1, target: "join", arguments: ["all"] };
      await peer.send(Opcode.Binary, frameOf(protocol, join));
      peers.push(peer);
      if (number % 50 === 0) await witness.served();
    }
    await witness.alone(PEERS + 1);
    report("with 1,000 peers", node.usage());

    // 8 MiB for each peer, eight times what may be unsent and what the kernel takes for it.
    const flood = healthy.connection.invoke<number>("flood", "all", 512, 16 * 1024);
    const sent = await witness.meanwhile(flood);
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
  },
  {},
  (server) => ({
    // Its sockets held everything until they were closed, and the allocator keeps that for the next.
    rssMiB: server === "fetch" ? PEERS * 1.5 : PEERS * 0.3,
  }),
).forEach((test) => Deno.test(test));
