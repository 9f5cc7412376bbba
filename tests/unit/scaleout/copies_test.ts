import { encode } from "@msgpack/msgpack";
import { assertEquals, assertRejects } from "@std/assert";
import { GroupAckTimeoutError, type HubContext, MemoryBackplane, MemoryBus } from "../../../mod.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { GroupAction, readGroupCommand, writeGroupCommand } from "../../../hub/bus/envelope.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { TwoNodes } from "./two_nodes.ts";

interface Asked {
  ask(): number;
}

const COMMANDS = "hub:internal:groups";

/** Asks ann for a result. */
function ask({ hub }: PipeNode<RecordingBackplane>, id = "ann"): Promise<unknown> {
  return (hub.clients as unknown as HubContext<Asked>["clients"]).client(id).invoke("ask");
}

/** Two nodes, and another bus that brings copies of what they publish. */
class Copies implements AsyncDisposable {
  readonly two: TwoNodes;
  readonly #foreign: MemoryBackplane;

  private constructor(two: TwoNodes) {
    this.two = two;
    this.#foreign = new MemoryBackplane(two.bus);
  }

  static async start(): Promise<Copies> {
    return new Copies(await TwoNodes.start());
  }

  /** Brings copies of what `node` has published on channels that start with `channel`. */
  async copy(node: PipeNode<RecordingBackplane>, channel: string): Promise<void> {
    for (const published of [...node.backplane.published]) {
      if (published.channel.startsWith(channel)) await this.publish(published);
    }
  }

  /** Brings copies of the commands of the asked node that add a connection to a group. */
  async copyAdds(): Promise<void> {
    for (const published of [...this.two.asked.backplane.published]) {
      const { channel, payload } = published;
      if (channel !== COMMANDS) continue;
      if (readGroupCommand(payload).action === GroupAction.Add) await this.publish(published);
    }
  }

  async publish({ channel, payload }: { channel: string; payload: Uint8Array }): Promise<void> {
    await this.#foreign.publish(channel, payload);
    await endOfTurn();
  }

  /** Lets time pass, in steps of a second. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      for (const node of [this.two.asked, this.two.owner]) node.advance(1000);
    }
  }

  /** The questions that ann was asked. */
  get asked(): { invocationId: string }[] {
    const records = this.two.ann.records as { target?: string; invocationId: string }[];
    return records.filter(({ target }) => target === "ask");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.two[Symbol.asyncDispose]();
    await this.#foreign.close();
  }
}

Deno.test("groups and results of remote connections work over two buses, each once", async () => {
  const buses = [new MemoryBus(), new MemoryBus()];
  const open = () =>
    PipeNode.start(
      new RecordingBackplane(new SeveralBackplanes(buses.map((bus) => new MemoryBackplane(bus)))),
    );
  await using asked = await open();
  await using owner = await open();
  const ann = await owner.connect("ann");
  await asked.groups.add("ann", "group");
  assertEquals(owner.backplane.subscribes("hub:group:group"), 1);
  await asked.groups.remove("ann", "group");
  const answer = ask(asked);
  await endOfTurn();
  const records = ann.records as { target?: string; invocationId: string }[];
  const questions = records.filter(({ target }) => target === "ask");
  assertEquals(questions.length, 1);
  ann.send({ type: 3, invocationId: questions[0]?.invocationId, result: 7 });
  assertEquals(await answer, 7);
});

Deno.test("a copy of a group command has no effect, however late it comes", async () => {
  for (const seconds of [0, 4, 6, 11, 30, 599]) {
    await using copies = await Copies.start();
    const { two } = copies;
    await two.asked.groups.add("ann", "group");
    await two.asked.groups.remove("ann", "group");
    await two.asked.groups.add("ann", "other");
    copies.pass(seconds);
    await copies.copyAdds();
    assertEquals(await two.heardOf("group"), ["to ann"], `${seconds} s`);
    assertEquals(await two.heardOf("other"), ["to the group", "to ann"], `${seconds} s`);
  }
});

Deno.test("a copy of a group command has no effect while its node goes on giving others", async () => {
  await using copies = await Copies.start();
  const { two } = copies;
  for (let second = 0; second < 60; second++) {
    await two.asked.groups.add("ann", `${second}`);
    await two.asked.groups.remove("ann", `${second}`);
    copies.pass(1);
  }
  await copies.copyAdds();
  for (let second = 0; second < 60; second++) {
    assertEquals(await two.heardOf(`${second}`), ["to ann"], `${second}`);
  }
});

Deno.test("an add that is withdrawn before it comes has no effect", async () => {
  await using copies = await Copies.start();
  const { two } = copies;
  const isCommand = (channel: string) => channel === COMMANDS;
  two.asked.backplane.swallowsPublish = isCommand;
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.asked.backplane.swallowsPublish = () => false;
  copies.pass(5);
  await assertRejects(() => add, GroupAckTimeoutError);
  await endOfTurn();
  await copies.copyAdds();
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("a copy of an acknowledgement settles nothing else", async () => {
  await using copies = await Copies.start();
  const { two } = copies;
  await two.asked.groups.add("ann", "group");
  const add = two.asked.groups.add("nobody", "group");
  await copies.copy(two.owner, "hub:internal:ack:");
  // As a .NET node acknowledges: one item.
  const channel = `hub:internal:ack:${two.asked.serverName}`;
  for (const id of [1, 1, 99]) await copies.publish({ channel, payload: encode([id]) });
  copies.pass(5);
  await assertRejects(() => add, GroupAckTimeoutError);
});

Deno.test("a client is asked once, and its answer counts once, however late copies come", async () => {
  for (const seconds of [0, 31, 599]) {
    await using copies = await Copies.start();
    const { two } = copies;
    const answer = ask(two.asked);
    await endOfTurn();
    await copies.copy(two.asked, "hub:connection:ann");
    const [{ invocationId } = { invocationId: "" }] = copies.asked;
    two.ann.send({ type: 3, invocationId, result: 7 });
    assertEquals(await answer, 7);
    copies.pass(seconds);
    await copies.copy(two.asked, "hub:connection:ann");
    await copies.copy(two.owner, "hub:internal:return:");
    assertEquals(copies.asked.length, 1, `${seconds} s`);
    assertEquals(two.asked.logger.lines.filter((line) => line.includes("Ignored")), []);
  }
});

Deno.test("a copy of a .NET node's group command changes nothing, and is acknowledged", async () => {
  await using copies = await Copies.start();
  const { two } = copies;
  const command = (id: number, action: number) => ({
    channel: COMMANDS,
    payload: writeGroupCommand({
      ...{ id, serverName: "dotnet", action, group: "group", connectionId: "ann" },
      timeout: undefined,
    }),
  });
  for (const id of [1, 1, 2]) await copies.publish(command(id, 1));
  assertEquals(await two.heardOf("group"), ["to the group", "to ann"]);
  for (const id of [3, 3]) await copies.publish(command(id, 2));
  assertEquals(await two.heardOf("group"), ["to ann"]);
  const acks = two.owner.backplane.publishedChannels.filter((name) => name.endsWith(":ack:dotnet"));
  assertEquals(acks.length, 5);
});

Deno.test("a .NET node's answer that comes twice counts once", async () => {
  await using copies = await Copies.start();
  const { two } = copies;
  await using dotnet = new MemoryBackplane(two.bus);
  const asked = Promise.withResolvers<void>();
  await dotnet.subscribe("hub:connection:bob", () => asked.resolve()).confirmed;
  const answer = ask(two.asked, "bob");
  await asked.promise;
  const text = new TextDecoder().decode(two.asked.backplane.published.at(-1)?.payload);
  const invocationId = /[0-9a-f]{32}/.exec(text)?.[0];
  const frame = new TextEncoder().encode(
    JSON.stringify({ type: 3, invocationId, result: 7 }) + "\x1e",
  );
  const channel = `hub:internal:return:${two.asked.serverName}`;
  for (let copy = 0; copy < 2; copy++) {
    await copies.publish({ channel, payload: encode(["json", frame]) });
  }
  assertEquals(await answer, 7);
  assertEquals(two.asked.logger.lines, []);
});
