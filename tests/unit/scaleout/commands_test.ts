import { encode } from "@msgpack/msgpack";
import { assertEquals, assertRejects } from "@std/assert";
import { GroupAckTimeoutError, type HubContext, HubError, MemoryBackplane } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { TwoNodes } from "./two_nodes.ts";

const COMMANDS = "hub:internal:groups";
const isCommand = (channel: string) => channel === COMMANDS;
const isAck = (channel: string) => channel.includes(":ack:");
const nothing = () => false;

/** The bus goes and comes; then a command is old enough to be given again. */
async function restartBus(two: TwoNodes): Promise<void> {
  two.bus.stop();
  two.bus.start();
  await endOfTurn();
  two.asked.advance(1000);
  await endOfTurn();
}

Deno.test("groups.add() is asked for again once the bus is back, until its node is heard", async () => {
  await using two = await TwoNodes.start();
  for (const change of ["add", "remove"] as const) {
    // The bus accepts the command, and nobody hears it; then nobody hears the acknowledgement.
    two.asked.backplane.swallowsPublish = isCommand;
    const changing = two.asked.groups[change]("ann", "group");
    await endOfTurn();
    two.asked.backplane.swallowsPublish = nothing;
    two.owner.backplane.swallowsPublish = isAck;
    await restartBus(two);
    two.owner.backplane.swallowsPublish = nothing;
    two.asked.advance(1000);
    await changing;
  }
  const asked = two.asked.backplane.published.length;
  two.asked.advance(1000);
  assertEquals(two.asked.backplane.published.length, asked);
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("groups.add() is asked for once while the bus is there, and withdrawn at its timeout", async () => {
  await using two = await TwoNodes.start();
  two.asked.advance(10_000);
  two.owner.backplane.swallowsPublish = isAck;
  const add = two.asked.groups.add("ann", "group");
  for (let second = 0; second < 5; second++) two.asked.advance(1000);
  await assertRejects(() => add, GroupAckTimeoutError);
  await endOfTurn();

  const channels = two.asked.backplane.publishedChannels;
  assertEquals(channels.filter(isCommand), [COMMANDS, COMMANDS]);
});

Deno.test("an acknowledged removal is not undone by an add that is asked for again", async () => {
  await using two = await TwoNodes.start();
  two.owner.backplane.swallowsPublish = isAck;
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.owner.backplane.swallowsPublish = nothing;
  await two.owner.groups.remove("ann", "group");
  await restartBus(two);
  await add;
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("an add that was lost has no effect behind a later removal, and counts as answered", async () => {
  await using two = await TwoNodes.start();
  two.asked.backplane.swallowsPublish = isCommand;
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.asked.backplane.swallowsPublish = nothing;
  await two.asked.groups.remove("ann", "group");
  await add;
  await restartBus(two);
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("groups.add() that is asked for twice resolves twice, though the first was lost", async () => {
  await using two = await TwoNodes.start();
  two.asked.backplane.swallowsPublish = isCommand;
  const both = [1, 2].map(() => two.asked.groups.add("ann", "group"));
  await endOfTurn();
  two.asked.backplane.swallowsPublish = nothing;
  await restartBus(two);
  await Promise.all(both);
});

Deno.test("an add that has failed has no effect when the other node joins later", async () => {
  await using two = await TwoNodes.start();
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.asked.advance(5000);
  await assertRejects(() => add, GroupAckTimeoutError);
  gate.resolve();
  await endOfTurn();
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("an add that comes too late has no effect, though nobody withdraws it", async () => {
  await using two = await TwoNodes.start({ subscribeTimeout: 60_000 });
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.asked.backplane.swallowsPublish = isCommand;
  two.asked.advance(5000);
  two.owner.advance(5001);
  await assertRejects(() => add, GroupAckTimeoutError);
  gate.resolve();
  await endOfTurn();
  assertEquals(await two.heardOf("group"), ["to ann"]);
});

Deno.test("an add that has failed takes nobody out who was a member before, or was added since", async () => {
  await using two = await TwoNodes.start();
  await two.owner.groups.add("ann", "before");
  two.owner.backplane.swallowsPublish = isAck;
  const adds = ["before", "since"].map((group) => two.asked.groups.add("ann", group));
  await endOfTurn();
  await two.owner.groups.add("ann", "since");
  two.asked.advance(5000);
  for (const add of adds) await assertRejects(() => add, GroupAckTimeoutError);
  await endOfTurn();
  for (const group of ["before", "since"]) {
    assertEquals(await two.heardOf(group), ["to the group", "to ann"]);
  }
});

Deno.test("groups.add() is refused at once by the node of a connection that has its groups", async () => {
  await using two = await TwoNodes.start({ maximumGroupsPerConnection: 2 });
  for (const group of ["a", "b", "a"]) await two.asked.groups.add("ann", group);
  const text = "A connection has at most 2 groups (maximumGroupsPerConnection).";
  await assertRejects(() => two.asked.groups.add("ann", "c"), HubError, text);
  assertEquals(await two.heardOf("c"), ["to ann"]);
  await two.asked.groups.remove("ann", "a");
  await two.asked.groups.add("ann", "c");
});

Deno.test("createHubServer() refuses a .NET node's command about a name that cannot be one", async () => {
  await using two = await TwoNodes.start({ maximumGroupsPerConnection: 1 });
  await using foreign = new MemoryBackplane(two.bus);
  const acks: number[] = [];
  await foreign.subscribe("hub:internal:ack:dotnet", (ack) => void acks.push(ack[1] ?? 0))
    .confirmed;
  const names = ["", "x".repeat(257), "é".repeat(129), "first", "second"];
  for (const [id, name] of names.entries()) {
    await foreign.publish(COMMANDS, encode([id, "dotnet", 1, name, "ann"]));
    await endOfTurn();
  }
  // A .NET node would take any acknowledgement for a success.
  assertEquals(acks, [3]);
  assertEquals(two.owner.backplane.subscribes("hub:group:first"), 1);
  assertEquals(two.owner.backplane.asked.all.filter((call) => call.includes(":group:")).length, 1);
  assertEquals(two.owner.logger.warnings.all, [
    "Cannot change a group for another node: Cannot use group name: it is empty or not text",
  ]);
});

Deno.test("groups.add() to as many other nodes' connections as are under way is refused", async () => {
  const methods = {
    async flood({ groups }: HubContext<never>, count: number) {
      const adds = Array.from({ length: count }, (_, n) => groups.add(`nobody ${n}`, "group"));
      for (const result of await Promise.allSettled(adds)) {
        if (result.status === "rejected" && result.reason instanceof HubError) throw result.reason;
      }
    },
  };
  await using two = await TwoNodes.start({
    methods,
    maximumGroupCommandsPerConnection: 3,
    maximumGroupCommands: 5,
  });
  two.owner.backplane.published.length = 0;
  const call = two.ann.invoke("flood", 4);
  await endOfTurn();
  assertEquals(two.owner.backplane.published.length, 3);
  const { groups } = two.owner;
  const others = [1, 2].map((n) => groups.add(`other ${n}`, "group"));
  const text = "A node has at most 5 changes of groups under way (maximumGroupCommands).";
  await assertRejects(() => groups.add("one too many", "group"), HubError, text);
  two.owner.advance(5000);
  const own = "A connection has at most 3 changes of groups under way";
  await assertRejects(() => call, own);
  for (const other of others) await assertRejects(() => other, GroupAckTimeoutError);
  // All of it was given back.
  const again = two.ann.invoke("flood", 3);
  await endOfTurn();
  two.owner.advance(5000);
  await again;
});
