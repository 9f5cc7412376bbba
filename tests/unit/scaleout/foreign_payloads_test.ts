import { encode } from "@msgpack/msgpack";
import { assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import type { PipeClient } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const encoder = new TextEncoder();

/** The frames a .NET node writes for `heard(text)`. */
function frames(text: string): Record<string, Uint8Array> {
  const json = encoder.encode(`{"type":1,"target":"heard","arguments":["${text}"]}\x1e`);
  const message = encode([1, {}, null, "heard", [text], []]);
  return { json, messagepack: new Uint8Array([message.length, ...message]) };
}

/** A node of ours with one client, and the bus as a .NET node sees it. */
class Farm implements AsyncDisposable {
  readonly node: PipeNode<RecordingBackplane>;
  readonly client: PipeClient;
  readonly foreign: MemoryBackplane;

  private constructor(
    node: PipeNode<RecordingBackplane>,
    client: PipeClient,
    foreign: MemoryBackplane,
  ) {
    this.node = node;
    this.client = client;
    this.foreign = foreign;
  }

  /** Client `ann` of user `user` is in group `group`. */
  static async start(): Promise<Farm> {
    const bus = new MemoryBus();
    const node = await PipeNode.start(new RecordingBackplane(bus), { name: "My.Hub" });
    const client = await node.connect("ann", "user");
    await node.groups.add("ann", "group");
    await endOfTurn();
    return new Farm(node, client, new MemoryBackplane(bus));
  }

  /** Publishes `value` on a channel of the hub; the node has dealt with it when this resolves. */
  async publish(channel: string, value: unknown): Promise<void> {
    const payload = value instanceof Uint8Array ? value : encode(value);
    assertEquals(await this.foreign.publish(`My.Hub:${channel}`, payload), 1);
    await endOfTurn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
    await this.foreign.close();
  }
}

/** The channels that carry invocations to the client of a {@link Farm}. */
const INVOCATION_CHANNELS = ["all", "group:group", "user:user", "connection:ann"];

Deno.test("createHubServer() delivers what a .NET node publishes, of two items or four", async () => {
  await using farm = await Farm.start();
  for (const channel of INVOCATION_CHANNELS) {
    await farm.publish(channel, [[], frames(`${channel}, 2`)]);
    await farm.publish(channel, [[], frames(`${channel}, 3`), null]);
    await farm.publish(channel, [[], frames(`${channel}, 4`), null, null]);
    await farm.publish(channel, [[], frames(`${channel}, 5`), null, null, ["another"], "more"]);
  }
  const expected = INVOCATION_CHANNELS.flatMap((channel) =>
    [2, 3, 4, 5].map((items) => `${channel}, ${items}`)
  );
  assertEquals(farm.client.texts, expected);
});

Deno.test("createHubServer() drops what has its own name as origin, and nothing else", async () => {
  await using farm = await Farm.start();
  for (const channel of INVOCATION_CHANNELS) {
    await farm.publish(channel, [[], frames("echo"), null, null, [farm.node.serverName]]);
    await farm.publish(channel, [[], frames("other"), null, null, [`${farm.node.serverName}0`]]);
    await farm.publish(channel, [[], frames("none"), null, null, []]);
    await farm.publish(channel, [[], frames("nil"), null, null, null]);
  }
  assertEquals(farm.client.texts, INVOCATION_CHANNELS.flatMap(() => ["other", "none", "nil"]));
});

Deno.test("createHubServer() heeds excluded ids for all and groups, not for users and connections", async () => {
  await using farm = await Farm.start();
  for (const channel of INVOCATION_CHANNELS) {
    await farm.publish(channel, [["ann", "bob"], frames(channel)]);
  }
  assertEquals(farm.client.texts, ["user:user", "connection:ann"]);
});

Deno.test("createHubServer() aborts a client whose protocol a message lacks, and lets it reconnect", async () => {
  for (const channel of INVOCATION_CHANNELS) {
    await using farm = await Farm.start();
    const bystander = await farm.node.connect("bystander");
    const { json: _json, ...others } = frames("unreadable");
    // Protocol names are compared exactly.
    await farm.publish(channel, [["bystander"], { ...others, JSON: new Uint8Array(1) }]);
    await farm.client.finished;
    assertEquals(farm.client.closed.all.map(({ allowReconnect }) => allowReconnect), [true]);
    assertEquals(farm.client.texts, []);
    await farm.publish("all", [[], frames("still here")]);
    assertEquals(bystander.texts, ["still here"]);
  }
});

Deno.test("createHubServer() logs and ignores a malformed payload on any channel", async () => {
  await using farm = await Farm.start();
  const malformed: unknown[] = [
    new Uint8Array(),
    new Uint8Array([0xc1]),
    new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
    new Uint8Array([0x92, 0xdd, 0xff, 0xff, 0xff, 0xff]),
    encoder.encode("not MessagePack at all"),
    encode([[], frames("cut short")]).subarray(0, 20),
    [],
    [[]],
    { excluded: [], messages: {} },
    [null, frames("excluded is nil")],
    [[1], frames("an id is a number")],
    [[], { json: "text instead of bin" }],
    [[], "no map"],
  ];
  const { warnings } = farm.node.logger;
  for (const channel of INVOCATION_CHANNELS) {
    for (const payload of malformed) await farm.publish(channel, payload);
  }
  const commands: unknown[] = [
    ...malformed,
    [1, "server", 1, "group"],
    ["1", "server", 1, "group", "ann"],
    [1, null, 1, "group", "ann"],
  ];
  for (const payload of commands) await farm.publish("internal:groups", payload);
  const acks = [...malformed, [], ["1"]];
  for (const payload of acks) {
    await farm.publish(`internal:ack:${farm.node.serverName}`, payload);
  }
  // One entry of each kind; a minute later their number follows, without a stack.
  const kinds = ["message", "group command", "acknowledgement"];
  const texts = kinds.map((kind) => `Ignored a ${kind} from another node:`);
  assertEquals(warnings.all, texts);
  farm.node.advance(60_000);
  const more = [INVOCATION_CHANNELS.length * malformed.length, commands.length, acks.length];
  assertEquals(
    warnings.all.slice(3),
    texts.map((text, index) => `${text} (${(more[index] ?? 0) - 1} times more in a minute)`),
  );
  await farm.publish("all", [[], frames("unharmed")]);
  assertEquals(farm.client.texts, ["unharmed"]);
});

Deno.test("createHubServer() does what a .NET node's group commands ask, and acknowledges", async () => {
  await using farm = await Farm.start();
  const acks: Uint8Array[] = [];
  const server = "dotnet_02db60e5fab243b890a847fa5c4dcb29";
  const channel = `My.Hub:internal:ack:${server}`;
  await farm.foreign.subscribe(channel, (payload) => acks.push(payload)).confirmed;
  await farm.publish("internal:groups", [42, server, 1, "new", "ann"]);
  await farm.publish("group:new", [[], frames("added")]);
  await farm.publish("internal:groups", [70_000, server, 2, "new", "ann"]);
  await farm.publish("group:new", [[], frames("removed")]);
  await farm.publish("internal:groups", [180, server, 9, "new", "ann", "an unknown action"]);
  await farm.publish("internal:groups", [7, server, 1, "new", "not ours"]);
  assertEquals(farm.client.texts, ["added"]);
  const expected = [[0x91, 42], [0x91, 0xce, 0, 1, 0x11, 0x70], [0x91, 0xcc, 180]];
  assertEquals(acks, expected.map((bytes) => new Uint8Array(bytes)));
});

Deno.test("send() publishes what a .NET node reads: both protocols, framed, then the origin and numbers", async () => {
  await using farm = await Farm.start();
  const payloads: Uint8Array[] = [];
  await farm.foreign.subscribe("My.Hub:all", (payload) => payloads.push(payload)).confirmed;
  for (const text of ["Hello", "World"]) {
    await farm.node.clients.allExcept(["c1"]).send("heard", text);
  }
  const origin = (...numbers: number[]) => [null, null, [farm.node.serverName, ...numbers]];
  assertEquals(payloads, [
    encode([["c1"], frames("Hello"), ...origin(1, 0)]),
    encode([["c1"], frames("World"), ...origin(2, -1)]),
  ]);
});
