import { assertEquals, assertRejects } from "@std/assert";
import { HubError, MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

type RecordedNode = PipeNode<RecordingBackplane>;

/** A node that records what it asks of the bus. */
function startNode(bus?: MemoryBus): Promise<RecordedNode> {
  return PipeNode.start(new RecordingBackplane(bus));
}

Deno.test("send() has served local members and published once when it returns", async () => {
  await using node = await startNode();
  const client = await node.connect("ann", "user");
  await node.groups.add("ann", "group");
  const { all, group, user } = {
    all: node.clients.all,
    group: node.clients.group("group"),
    user: node.clients.user("user"),
  };
  for (const [channel, set] of Object.entries({ all, "group:group": group, "user:user": user })) {
    node.backplane.published.length = 0;
    const sent = set.send("heard", channel);
    assertEquals(node.backplane.publishedChannels, [`hub:${channel}`]);
    await sent;
  }
  await client.heard.count(3);
  assertEquals(client.texts, ["all", "group:group", "user:user"]);
});

Deno.test("send() delivers to local members before the bus has accepted the message", async () => {
  await using node = await startNode();
  const client = await node.connect("ann");
  await endOfTurn();
  const sent = node.clients.all.send("heard", "at once");
  // Nothing has been awaited since.
  assertEquals(client.texts, ["at once"]);
  await sent;
});

Deno.test("send() resolves when the bus has accepted all that was published, and not before", async () => {
  const bus = new MemoryBus();
  await using one = await startNode(bus);
  await using two = await startNode(bus);
  const there = await two.connect("there");
  for (const group of ["a", "b"]) await two.groups.add("there", group);
  const { all } = one.clients;
  const sends = [
    () => all.send("heard", "all"),
    () => one.clients.groups(["a", "b"]).send("heard", "groups"),
    () => one.clients.groups(["b", "a"]).send("heard", "groups"),
    () => one.clients.client("there").send("heard", "client"),
  ];
  for (const [index, send] of sends.entries()) {
    const gate = Promise.withResolvers<void>();
    one.backplane.beforeAccepted = (channel) => channel.endsWith(":b") ? undefined : gate.promise;
    let resolved = false;
    const sent = send().then(() => resolved = true);
    // It has arrived already: receipt is not what is waited for.
    await there.heard.count([1, 3, 5, 6][index] ?? 0);
    await endOfTurn();
    assertEquals(resolved, false);
    gate.resolve();
    await sent;
  }
});

Deno.test("send() never touches the bus when its connection is on this node", async () => {
  const bus = new MemoryBus();
  await using node = await startNode(bus);
  await using other = await startNode(bus);
  const client = await node.connect("here");
  await other.connect("there");
  await node.clients.client("here").send("heard", "one");
  await node.clients.clients(["here"]).send("heard", "two");
  assertEquals(node.backplane.publishedChannels, []);
  await node.clients.clients(["here", "there"]).send("heard", "three");
  assertEquals(node.backplane.publishedChannels, ["hub:connection:there"]);
  await client.heard.count(3);
});

Deno.test("send() to a connection that exists nowhere is no error", async () => {
  await using node = await startNode();
  await node.clients.client("nobody").send("heard", "Hello");
  assertEquals(node.backplane.publishedChannels, ["hub:connection:nobody"]);
});

Deno.test("send() to an empty list does nothing", async () => {
  await using node = await startNode();
  await node.clients.clients([]).send("heard", "Hello");
  await node.clients.groups([]).send("heard", "Hello");
  await node.clients.users([]).send("heard", "Hello");
  assertEquals(node.backplane.published, []);
});

Deno.test("send() to two groups gives their common member two copies, here and elsewhere", async () => {
  const bus = new MemoryBus();
  await using one = await startNode(bus);
  await using two = await startNode(bus);
  const here = await one.connect("here");
  const there = await two.connect("there");
  for (const group of ["a", "b"]) {
    await one.groups.add("here", group);
    await two.groups.add("there", group);
  }
  await one.clients.groups(["a", "b"]).send("heard", "Hello");
  await one.clients.groups(["a", "b"]).send("heard", "last");
  for (const client of [here, there]) {
    await client.heard.count(4);
    assertEquals(client.texts, ["Hello", "Hello", "last", "last"]);
  }
  assertEquals(one.backplane.publishedChannels.length, 4);
});

Deno.test("send() passes over the excluded, here and elsewhere, however many they are", async () => {
  const bus = new MemoryBus();
  await using one = await startNode(bus);
  await using two = await startNode(bus);
  const clients = await Promise.all([
    ...["here", "here too"].map((id) => one.connect(id)),
    ...["there", "there too"].map((id) => two.connect(id)),
  ]);
  for (const { id } of clients) await one.groups.add(id, "group");
  const few = ["here", "there"];
  const many = [...few, ...Array.from({ length: 50 }, (_, index) => `other ${index}`)];
  for (const excluded of [few, many]) {
    await one.clients.allExcept(excluded).send("heard", "all");
    await one.clients.groupExcept("group", excluded).send("heard", "group");
  }
  await one.clients.all.send("heard", "last");
  const all = ["all", "group", "all", "group", "last"];
  for (const client of clients) {
    await client.heard.find(([, text]) => text === "last");
    assertEquals(client.texts, few.includes(client.id) ? ["last"] : all);
  }
});

Deno.test("send() of what cannot be serialised rejects with TypeError and delivers nothing", async () => {
  await using node = await startNode();
  const client = await node.connect("ann");
  await node.groups.add("ann", "group");
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [NaN, 2n ** 64n, () => {}, Symbol("x"), cycle]) {
    await assertRejects(() => node.clients.all.send("heard", value), TypeError);
    await assertRejects(() => node.clients.group("group").send("heard", value), TypeError);
    await assertRejects(() => node.clients.client("ann").send("heard", value), TypeError);
    await assertRejects(() => node.clients.client("nobody").send("heard", value), TypeError);
  }
  assertEquals(node.backplane.published, []);
  await node.clients.all.send("heard", "last");
  await client.heard.count(1);
  assertEquals(client.texts, ["last"]);
});

Deno.test("send() takes names of up to 256 bytes, and refuses longer and empty ones with HubError", async () => {
  await using node = await startNode();
  const client = await node.connect("ann", "é".repeat(128));
  for (const name of ["x".repeat(256), "é".repeat(128)]) {
    await node.groups.add("ann", name);
    await node.clients.group(name).send("heard", name);
    await node.clients.user(name).send("heard", name);
  }
  await client.heard.count(3);
  const before = node.backplane.published.length;
  for (const name of ["", "x".repeat(257), "é".repeat(129), "\ud800"]) {
    await assertRejects(() => node.groups.add("ann", name), HubError);
    await assertRejects(() => node.groups.remove("ann", name), HubError);
    await assertRejects(() => node.clients.group(name).send("heard", 1), HubError);
    await assertRejects(() => node.clients.groups(["a", name]).send("heard", 1), HubError);
    await assertRejects(() => node.clients.user(name).send("heard", 1), HubError);
    await assertRejects(() => node.clients.users(["a", name]).send("heard", 1), HubError);
  }
  assertEquals(node.backplane.published.length, before);
});

Deno.test("send() makes its callers' names exact: no pattern, no case, no normal form", async () => {
  const bus = new MemoryBus();
  await using one = await startNode(bus);
  await using two = await startNode(bus);
  const names = ["*", "?", "a:b", "a", "A", "[ab]", "a b", "\n", "é", "e\u0301", "😀", "group:a"];
  const members = await Promise.all(names.map(async (name, index) => {
    const member = await two.connect(`member ${index}`, name);
    await two.groups.add(member.id, name);
    return member;
  }));
  for (const name of names) {
    await one.clients.group(name).send("heard", `group ${name}`);
    await one.clients.user(name).send("heard", `user ${name}`);
  }
  await one.clients.all.send("heard", "last");
  for (const [index, name] of names.entries()) {
    await members[index]?.heard.find(([, text]) => text === "last");
    assertEquals(members[index]?.texts, [`group ${name}`, `user ${name}`, "last"]);
  }
});
