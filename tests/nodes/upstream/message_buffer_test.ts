/**
 * What upstream's MessageBufferTests show and no other test of ours does: one connection whose pipes
 * the test cuts.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import { ResendBuffer } from "../../../hub/connection/resend_buffer.ts";
import {
  defineHub,
  type HubClients,
  type HubContext,
  type HubServerOptions,
} from "../../../mod.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

interface Client {
  said(text: string): void;
}

const hub = defineHub({
  methods: {
    *count(_context: HubContext<Client>, to: number, size: number) {
      for (let n = 0; n < to; n++) yield `${n}${"x".repeat(size)}`;
    },
  },
});

/** A client that may come back, on a hub whose clock the test moves. */
async function connectStateful(core: HubCore): Promise<CoreClient> {
  const client = core.admit(undefined, true);
  client.pipe.send({ protocol: "json", version: 2 });
  await client.pipe.next();
  await settle();
  return client;
}

function startHub(options: HubServerOptions = {}): HubCore {
  return new HubCore(hub, options);
}

/** Sends to every client from outside a hub method. */
async function tell(core: HubCore, text: string): Promise<void> {
  const clients: unknown = core.live.clients;
  await (clients as HubClients<Client>).all.send("said", text);
}

/** The client is back on another pipe. */
function comeBack({ connection }: CoreClient): MemoryPipe {
  const pipe = new MemoryPipe();
  pipe.returnTo(connection);
  return pipe;
}

function said(text: string) {
  return { type: 1, target: "said", arguments: [text] };
}

Deno.test("ResendBuffer keeps what comes after the number that is acknowledged, whatever it is", () => {
  const buffer = new ResendBuffer();
  for (let n = 1; n <= 1000; n++) buffer.add(new Frame(`message ${n}`.padEnd(12)));
  const kept = () => [buffer.sequenceId, buffer.frames.length, buffer.bytes];
  assertEquals(kept(), [1, 1000, 12_000]);
  for (
    const [acknowledged, first] of [[0, 1], [1, 2], [400, 401], [399, 401], [999, 1000]] as const
  ) {
    buffer.acknowledge(acknowledged);
    assertEquals(kept(), [first, 1001 - first, 12 * (1001 - first)]);
    assertEquals(buffer.frames[0]?.content, `message ${first}`.padEnd(12));
  }
  // More than was sent does no harm.
  buffer.acknowledge(5000);
  assertEquals(kept(), [1001, 0, 0]);
  buffer.add(new Frame("next"));
  assertEquals([...kept(), buffer.frames[0]?.content], [1001, 1, 4, "next"]);
});

Deno.test("pings are sent while the resend buffer is full, and are not sent again", async () => {
  await using core = startHub({ keepAliveInterval: 1000, statefulReconnectBufferSize: 10 });
  const client = await connectStateful(core);
  await tell(core, "more than may be kept");
  core.pass(2000);
  await settle();
  const pings = client.pipe.records.filter((record) => (record as { type?: number }).type === 6);
  assertEquals(pings, [{ type: 6 }, { type: 6 }]);
  client.pipe.cut();
  const pipe = comeBack(client);
  await settle();
  assertEquals(pipe.records, [{ type: 9, sequenceId: 1 }, said("more than may be kept")]);
});

Deno.test("a stream that waits for acknowledgements goes on when its client is back", async () => {
  await using core = startHub({ statefulReconnectBufferSize: 250 });
  const client = await connectStateful(core);
  client.pipe.send({ type: 4, invocationId: "1", target: "count", arguments: [6, 100] });
  await settle();
  const items = client.pipe.records.slice(1) as { item: string }[];
  assertEquals(items.map(({ item }) => item.slice(0, 2)), ["0x", "1x"]);
  client.pipe.cut();
  const pipe = comeBack(client);
  pipe.send({ type: 9, sequenceId: 2 }, { type: 8, sequenceId: 2 });
  const numbers: string[] = [];
  for (let sequenceId = 2;; sequenceId++) {
    const record = await pipe.next() as { type: number; item?: string };
    if (record.type === 9) sequenceId = 0;
    else if (record.type === 3) break;
    else numbers.push(record.item?.slice(0, 2) ?? "");
    pipe.send({ type: 8, sequenceId });
  }
  assertEquals(numbers, ["0x", "1x", "2x", "3x", "4x", "5x"]);
});

Deno.test("an acknowledgement that comes during a resend leaves out nothing of it", async () => {
  await using core = startHub();
  const client = await connectStateful(core);
  const texts = [...Array(100).keys()].map((n) => `${n}`);
  for (const text of texts) await tell(core, text);
  client.pipe.cut();
  const pipe = comeBack(client);
  // The first leaves at once, the rest at the end of the turn.
  assertEquals(pipe.records.length, 101);
  pipe.send({ type: 9, sequenceId: 1 }, { type: 8, sequenceId: 99 });
  await tell(core, "after");
  await settle();
  assertEquals(pipe.records, [
    { type: 9, sequenceId: 1 },
    ...texts.map(said),
    said("after"),
  ]);
  pipe.cut();
  const last = comeBack(client);
  await settle();
  assertEquals(last.records, [{ type: 9, sequenceId: 100 }, said("99"), said("after")]);
});

Deno.test("what is sent while a client is away comes behind what it missed, acknowledgements too", async () => {
  await using core = startHub();
  const client = await connectStateful(core);
  await tell(core, "one");
  client.pipe.send({ type: 5, invocationId: "none" });
  client.pipe.cut();
  core.pass(1000);
  await tell(core, "two");
  const pipe = comeBack(client);
  pipe.send({ type: 9, sequenceId: 2 });
  core.pass(1000);
  await tell(core, "three");
  await settle();
  assertEquals(pipe.records, [
    { type: 9, sequenceId: 1 },
    said("one"),
    said("two"),
    { type: 8, sequenceId: 1 },
    said("three"),
  ]);
});

Deno.test("statefulReconnectBufferSize says how much a client may leave unacknowledged", async () => {
  for (const [statefulReconnectBufferSize, ends] of [[1000, true], [3000, false]] as const) {
    await using core = startHub({ statefulReconnectBufferSize });
    const client = await connectStateful(core);
    await tell(core, "x".repeat(2000));
    core.pass(7000);
    await settle();
    assertEquals(client.pipe.ends.includes(1000), ends);
  }
});
