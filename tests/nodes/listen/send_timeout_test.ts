/**
 * What becomes of clients that read slowly, or nothing at all, while less waits for them than may.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { defineHub, type HubContext } from "../../../mod.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { hostWithListen } from "../../kit/servers/hosts.ts";
import { RawClient } from "../upstream/raw_client.ts";
import { closeStatus, frame, Opcode, upgradeRequest } from "../../kit/socket.ts";
import { joined } from "../../kit/wire_format.ts";
import { dial, writeAll } from "../../kit/tcp.ts";
import { frameRecords } from "../wire/records.ts";
import { call } from "../../kit/messages.ts";

type Context = HubContext<{ got(number: number, filling: string): void }>;

/**
 * What a node serves: a hub that sends its caller messages of many sizes, together more than a
 * connection holds on its way. Far more may wait than waits for anybody here.
 */
function flooding() {
  const ends = new Events<{ id: string; error: Error | undefined }>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      async flood({ clients }: Context, count: number) {
        const filling = "x".repeat(60_000);
        for (let n = 0; n < count; n++) {
          clients.caller.send("got", n, n % 10 === 0 ? "" : filling);
          if (n % 4 === 0) await delay(0);
        }
      },
      leave: ({ abort }: Context) => abort(),
    },
    disconnected: ({ connectionId: id }: Context, error) => ends.add({ id, error }),
  });
  const configuration = { hubs: { "/hub": hub }, maximumBufferedBytes: 256 * 1024 * 1024 };
  return { configuration, ends };
}

/** Reads on: the numbers of the messages that come, and the code if a close frame is the last of it. */
async function readOn({ socket }: RawClient): Promise<{ numbers: unknown[]; code?: number }> {
  const numbers: unknown[] = [];
  for (;;) {
    const frame = await bounded(socket.receive().catch(() => undefined));
    if (frame === undefined) return { numbers };
    if (frame.opcode === Opcode.Close) return { numbers, code: closeStatus(frame).code };
    for (const record of frameRecords(frame)) {
      const { target, arguments: values = [] } = record as {
        target?: string;
        arguments?: unknown[];
      };
      if (target === "got") numbers.push(values[0]);
    }
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

onEachServer(
  "a client that takes nothing for transportSendTimeout is closed, and no other",
  async (serve) => {
    const { configuration, ends } = flooding();
    await using node = await serve({ ...configuration, transportSendTimeout: 1000 });
    using idle = await RawClient.connect(node.port);
    using stuck = await RawClient.connect(node.port);
    // It goes on calling, and so it is not silent.
    await stuck.send({ type: 6 }, call("1", "flood", 500));
    assertEquals((await ends.next()).error, undefined);
    await idle.send(call("1", "echo", "still here"));
    assertEquals(await idle.next(), { type: 3, invocationId: "1", result: "still here" });
    assertEquals(ends.all.length, 1);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a client that reads slowly is not closed, however much waits for it",
  async (serve) => {
    const { configuration, ends } = flooding();
    await using node = await serve({ ...configuration, transportSendTimeout: 3000 });
    using slow = await RawClient.connect(node.port);
    const count = 550;
    const begun = performance.now();
    await slow.send(call("1", "flood", count));
    for (let n = 0; n < count; n++) {
      // On a machine that is busy it does not read slower still.
      await delay(Math.max(0, begun + n * 20 - performance.now()));
      const { arguments: values } = await slow.next() as { arguments?: unknown[] };
      assertEquals(values?.[0], n);
    }
    assertEquals(await slow.next(), { type: 3, invocationId: "1", result: null });
    assertEquals(ends.all, []);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a client that takes one large message slowly, but steadily, is not closed",
  async (serve) => {
    const size = 16_000_000;
    const hub = defineHub({ methods: { large: () => "x".repeat(size) } });
    await using node = await serve({ hubs: { "/hub": hub }, transportSendTimeout: 1000 });
    using connection = await dial(node.port);
    const messages = `{"protocol":"json","version":1}\x1e${JSON.stringify(call("1", "large"))}\x1e`;
    await writeAll(connection, joined(upgradeRequest("/hub"), frame(Opcode.Text, messages)));
    const chunk = new Uint8Array(64 * 1024);
    const begun = performance.now();
    let taken = 0;
    while (taken < 7_000_000) {
      // 2 MB a second: the system holds no room for all of it before 3.5 s are over.
      await delay(Math.max(0, begun + taken / 2000 - performance.now()));
      const read = await bounded(connection.read(chunk).catch(() => null));
      if (read === null) break;
      taken += read;
    }
    assert(taken >= 7_000_000, `the connection has ended after ${taken} bytes`);
  },
).forEach((test) => Deno.test(test));

Deno.test("listen() drops the socket of a client that takes nothing for transportSendTimeout", async () => {
  const { configuration, ends } = flooding();
  const impatient = { ...configuration, transportSendTimeout: 1000 };
  await using node = await RunningNode.start(impatient, hostWithListen);
  using stuck = await RawClient.connect(node.port);
  await stuck.send(call("1", "flood", 500));
  await ends.next();
  // What the system had taken can still be read; what waited is gone.
  const { numbers, code } = await readOn(stuck);
  assertEquals([numbers, code], [upTo(numbers.length), undefined]);
  assertLess(numbers.length, 500);
});

Deno.test("listen() sends all that waits for a client that reads late, in order, before it closes", async () => {
  const { configuration, ends } = flooding();
  await using node = await RunningNode.start(configuration, hostWithListen);
  using late = await RawClient.connect(node.port);
  using other = await RawClient.connect(node.port);
  await late.send(call("1", "flood", 500), call("2", "flood", 3), call("3", "leave"));
  await ends.next();
  // The node is not busy with it.
  await other.send(call("1", "echo", "other"));
  assertEquals(await other.next(), { type: 3, invocationId: "1", result: "other" });
  const { numbers, code } = await readOn(late);
  assertEquals([numbers, code], [[...upTo(500), ...upTo(3)], 1000]);
});
