import { assert, assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { readNodeMessage } from "../../../hub/bus/read_node_message.ts";
import {
  type HubMessage,
  nodeChannel,
  type NodeMessage,
  type Sign,
  SIGNS,
} from "../../../hub/bus/node_messages.ts";
import { writeNodeMessage } from "../../../hub/bus/write_node_message.ts";
import { BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { ClusterFarm, type ClusterNode } from "./farm.ts";

/** What a node has published, oldest first. */
function said({ backplane }: ClusterNode): NodeMessage[] {
  return backplane.published.splice(0).flatMap(({ payload }) => readNodeMessage(payload) ?? []);
}

/** A sign, written by a stranger on the bus. */
function sign(node: string, change: Partial<Sign> = {}): Uint8Array {
  const times = { interval: 1000, started: 1, date: 2 };
  const about = {
    kind: "sign",
    id: 1,
    node,
    activity: "up",
    connections: 0,
    hubs: [],
    keys: [],
  } as const;
  return writeNodeMessage({ ...about, ...times, ...change }).slice();
}

Deno.test("NodeCluster.start() hears its own channel, says hello, hears all signs, gives one", async () => {
  await using farm = new ClusterFarm();
  const node = farm.add("a", "chat");
  await node.cluster.start();
  assertEquals(node.backplane.asked.all, [`+${nodeChannel("a")}`, `+${SIGNS}`]);
  const signs = said(node);
  assertEquals(signs.map(({ kind, id }) => [kind, id]), [["hello", 1], ["sign", 2]]);
  assertEquals(signs[1], {
    ...{ kind: "sign", id: 2, node: "a", activity: "starting", interval: 1000 },
    ...{ started: farm.clock.date(), date: farm.clock.date(), connections: 3 },
    hubs: [{ hub: "chat", number: 1000, told: 0, tails: [] }],
    keys: [node.cluster.keys.signing],
  });
  assertEquals(signs[0] && "keys" in signs[0] && signs[0].keys, []);
  node.cluster.become("up");
  assertEquals(node.changes, ["a: starting → up"]);
});

Deno.test("NodeCluster gives no signs while nobody would hear them; hubs take theirs as told", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  said(one);
  one.hub.tails = [["chat:all", 1]];
  await farm.seconds(10);
  assertEquals(said(one), []);
  assertEquals(one.hub.take(), ["told 1: accepted"]);
  assertEquals(one.cluster.alone, true);
  const two = await farm.start("b", "chat");
  assertEquals(one.others, { b: "up" });
  assertEquals(one.cluster.alone, false);
  // The hello, then the first sign, and the sign of a node that is up.
  assertEquals(one.hub.take(), ["b told 0", "b told 0", "b told 0"]);
  assertEquals(two.hub.take(), ["a told 1"]);
  said(one);
  await farm.seconds(1);
  assertEquals(said(one).map(({ kind }) => kind), ["sign"]);
  assertEquals(two.hub.take(), ["a told 1"]);
});

Deno.test("NodeCluster.start() resolves when a node has answered, with its last sign", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  one.hub.tails = [["chat:all", 1]];
  await farm.seconds(1);
  said(one);
  const two = await farm.start("b", "chat");
  const [answer] = said(one);
  assertEquals(one.backplane.publishedChannels, []);
  assert(answer?.kind === "sign");
  assertEquals([answer.id, answer.hubs], [2, [{ hub: "chat", number: 1000, told: 1, tails: [] }]]);
  assertEquals(two.others, { a: "up" });
});

Deno.test("NodeCluster.start() waits a second for answers where the bus does not count", async () => {
  await using farm = new ClusterFarm();
  for (const name of ["a", "b"]) {
    const node = farm.add(name);
    node.backplane.counts = false;
    let started = false;
    const starting = node.cluster.start().then(() => started = true);
    await settle();
    // The second one is answered by the first.
    assertEquals(started, name === "b");
    farm.clock.advance(999);
    await settle();
    assertEquals(started, name === "b");
    farm.clock.advance(1);
    await starting;
  }
  const [one] = farm.nodes;
  assert(one !== undefined);
  said(one);
  await farm.seconds(3);
  assertEquals(said(one).length, 3);
});

Deno.test("NodeCluster.start() waits for a bus that is away, and fails when it is closed", async () => {
  await using farm = new ClusterFarm();
  farm.bus.stop();
  const [one, two] = [farm.add("a"), farm.add("b")];
  const starting = one.cluster.start();
  const failing = two.cluster.start().catch((error) => error);
  await farm.seconds(60);
  assertEquals([said(one), said(two)], [[], []]);
  await two.backplane.close();
  assert(await failing instanceof BackplaneClosedError);
  farm.bus.start();
  await starting;
  assertEquals(said(one).map(({ kind }) => kind), ["hello", "sign"]);
});

Deno.test("NodeCluster.start() waits while the bus refuses its channel, and the log says so", async () => {
  await using farm = new ClusterFarm();
  const node = farm.add("a");
  node.backplane.beforeSubscribe = () => Promise.reject(new BackplaneError("forbidden"));
  const starting = node.cluster.start();
  await settle();
  const text = "The server is not ready, the bus refuses a channel of nodes:";
  assertEquals(node.log.errors.all, [text]);
  node.backplane.beforeSubscribe = () => undefined;
  // A driver says that it is open again when the bus has given in.
  farm.bus.stop();
  farm.bus.start();
  await starting;
});

Deno.test("NodeCluster.start() goes on without answers when the bus refuses the hello", async () => {
  await using farm = new ClusterFarm();
  const node = farm.add("a");
  node.backplane.refusesPublish = () => new BackplaneUnavailableError("away");
  const starting = node.cluster.start();
  await settle();
  node.backplane.refusesPublish = () => undefined;
  farm.clock.advance(1000);
  await starting;
  assertEquals(said(node).map(({ kind }) => kind), ["hello", "sign"]);
});

Deno.test("of two nodes that start at once each hears the other", async () => {
  await using farm = new ClusterFarm();
  const nodes = ["a", "b", "c"].map((name) => farm.add(name));
  await Promise.all(nodes.map(({ cluster }) => cluster.start()));
  await farm.seconds(1);
  assertEquals(nodes.map(({ others }) => Object.keys(others).sort()), [
    ...[["b", "c"], ["a", "c"], ["a", "b"]],
  ]);
});

Deno.test("NodeCluster hands what a hub tells to the hubs of the same name, and finds missed signs", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat", "other");
  const two = await farm.start("b", "chat");
  two.hub.take();
  one.hub.tails = [["chat:all", 1], ["chat:group:é", 2]];
  await farm.seconds(1);
  assertEquals(two.hub.take(), ["a told 2 chat:all=1 chat:group:é=2"]);
  assertEquals(one.hub.take().sort().slice(-2), ["b told 0", "told 2: accepted"]);
  // The bus answers, but the sign reaches nobody: the next one shows it.
  one.backplane.swallowsPublish = () => true;
  await farm.seconds(1);
  one.backplane.swallowsPublish = () => false;
  await farm.seconds(1);
  assertEquals(two.hub.take(), ["a told 2, missed one"]);
  // The bus does not answer.
  one.hub.take();
  one.hub.tails = [["chat:all", 3]];
  one.backplane.refusesPublish = () => new BackplaneUnavailableError("away");
  await farm.seconds(1);
  one.backplane.refusesPublish = () => undefined;
  assertEquals(one.hub.take().sort(), ["b told 0", "told 3: not sent"]);
  await farm.seconds(1);
  assertEquals(two.hub.take(), ["a told 3 chat:all=3, missed one"]);
});

Deno.test("the hubs of a node share the room of a sign, and take turns in being first", async () => {
  await using farm = new ClusterFarm();
  const node = farm.add("a", "one", "two", "three");
  node.hubs.forEach((hub) =>
    hub.tails = Array.from({ length: 300 }, (_, number) => ["c".repeat(10), number])
  );
  await farm.start("b");
  // A hello and a sign.
  await node.cluster.start();
  await settle();
  const rooms = node.hubs.map(({ rooms }) => rooms.map(([tails]) => tails));
  assertEquals(rooms, [[500, 100], [200, 500], [0, 400]]);
  const characters = node.hubs.map(({ rooms }) => rooms[1]?.[1]);
  assertEquals(characters, [56_000, 60_000, 59_000]);
  for (const { payload } of node.backplane.published) assert(payload.length < 65_536);
});

Deno.test("NodeCluster.sign() gives one sign for all calls of a turn, and none while the bus is away", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  await farm.start("b");
  said(one);
  for (let call = 0; call < 5; call++) one.cluster.sign();
  assertEquals(said(one), []);
  await settle();
  assertEquals(said(one).length, 1);
  farm.bus.stop();
  one.cluster.sign();
  await farm.seconds(2);
  assertEquals(said(one), []);
  farm.bus.start();
  one.cluster.sign();
  await settle();
  assertEquals(said(one).length, 1);
});

Deno.test("nodes are unknown while the bus is away, and nobody is declared dead", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  await farm.start("b");
  one.take();
  farm.bus.stop();
  await farm.seconds(30);
  farm.bus.start();
  await farm.seconds(5);
  assertEquals(one.take(), ["b: up → unknown", "b: unknown → up"]);
  assert(!one.hub.take().includes("b is dead"));
});

Deno.test("NodeCluster tells its hubs when a node is dead and when it has gone", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat", "other");
  const two = await farm.start("b", "chat");
  one.take();
  one.hub.take();
  await farm.seconds(5, [one]);
  assertEquals(one.hub.take(), []);
  await farm.seconds(1, [one]);
  assertEquals(one.take(), ["b: up → suspect", "b: suspect → dead"]);
  for (const hub of one.hubs) assertEquals(hub.take(), ["b is dead"]);
  assertEquals(one.log.lines, ["warn A node is dead: five signs of life are missing: b"]);
  await farm.seconds(1);
  assertEquals(one.take(), ["b: dead → up"]);
  one.hub.take();
  two.hub.tails = [["chat:all", 9]];
  await two.cluster.close();
  await settle();
  // The last words come first.
  assertEquals(one.hub.take(), ["b told 1 chat:all=9", "b is gone"]);
  assertEquals(one.cluster.lives("b"), false);
  await farm.seconds(31, [one]);
  assertEquals(one.cluster.alone, true);
});

Deno.test("NodeCluster.tell() says how many nodes have heard it; a hub hears what is for it", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  const two = await farm.start("b", "chat");
  two.hub.take();
  const knock = { kind: "knock", id: 1, node: "a", hub: "chat" } as const;
  assertEquals(await one.cluster.tell("b", knock), 1);
  assertEquals(await one.cluster.tell("nobody", knock), 0);
  assertEquals(await one.cluster.tell("b", { ...knock, hub: "unknown" }), 1);
  assertEquals(two.hub.take(), ["a says knock"]);
  // A question for one node is nothing for the channel of all nodes.
  await one.backplane.publish(SIGNS, writeNodeMessage(knock));
  assertEquals(two.hub.take(), []);
  farm.bus.stop();
  assertEquals(await one.cluster.tell("b", knock), undefined);
  one.backplane.refusesPublish = () => {
    throw new Error("a mistake of a driver");
  };
  assertEquals(await one.cluster.tell("b", knock), undefined);
});

/** A bus that carries no more than so many bytes. */
function limit({ backplane }: ClusterNode, maximum: number): void {
  backplane.refusesPublish = (_channel, payload) =>
    payload.length > maximum ? new RangeError("Cannot publish: it is too large") : undefined;
}

Deno.test("NodeCluster gives smaller signs where the bus refuses them as too large", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  const two = await farm.start("b", "chat");
  await farm.seconds(1);
  two.hub.take();
  limit(one, 4000);
  const names = Array.from({ length: 100 }, (_, number) => `${number}`.padStart(100, "c"));
  one.hub.tails = names.map((name, number) => [name, number]);
  await farm.seconds(7);
  const heard = two.hub.take().join().match(/c+\d+(?==)/g);
  assertEquals(heard, names);
  assertEquals(two.others, { a: "up" });
  // A goodbye comes at once.
  one.hub.tails = names.map((name, number) => [name, number]);
  await one.cluster.close();
  assertEquals(two.others, { a: "gone" });
});

Deno.test("NodeCluster gives up a sign that the bus refuses however small it is", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  await farm.start("b", "chat");
  limit(one, 10);
  said(one);
  await farm.seconds(1);
  assertEquals(said(one).length, 6);
  await farm.seconds(1);
  assertEquals(said(one).length, 1);
});

Deno.test("NodeCluster.tell() says a part where the bus refuses the whole as too large", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  const two = await farm.start("b", "chat");
  limit(one, 2000);
  const heard: HubMessage[] = [];
  two.hub.received = (message) => void heard.push(message);
  const about = { id: 1, node: "a", hub: "chat", after: 0 };
  const messages = [1, 2, 3, 4].map((number) => {
    return { number, back: 1, age: 0, payload: new Uint8Array(number === 4 ? 1990 : 800) };
  });
  const answer = {
    kind: "messages",
    ...about,
    channel: "c",
    upTo: 9,
    number: 9,
    missing: 0,
  } as const;
  await one.cluster.tell("b", { ...answer, messages });
  // There is no half of one message: the node that asked learns that it cannot have it.
  await one.cluster.tell("b", { ...answer, messages: messages.slice(3) });
  const channels = [..."abcd"].map((name, number) => [name.repeat(700), number + 1] as const);
  const index = { kind: "index", ...about, upTo: 9, number: 9, from: 1, age: undefined } as const;
  await one.cluster.tell("b", { ...index, channels });
  assertEquals(heard, [
    { ...answer, upTo: 2, messages: messages.slice(0, 2) },
    { ...answer, messages: [{ number: 4, back: 1, age: 0, payload: null }] },
    { ...index, upTo: 2, channels: channels.slice(0, 2) },
  ]);
  limit(one, 10);
  assertEquals(await one.cluster.tell("b", { ...index, channels }), undefined);
  assertEquals(await one.cluster.tell("b", { ...answer, messages }), undefined);
});

Deno.test("NodeCluster.met() knows a node without signs; it is dead if none comes", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  for (const node of ["b", "b", "a"]) one.cluster.met(node);
  assertEquals(one.others, { b: "unknown" });
  assertEquals([one.cluster.lives("b"), one.cluster.alone], [true, false]);
  await farm.seconds(6);
  assertEquals(one.hub.take(), ["b is dead"]);
});

Deno.test("what is malformed on the channels of nodes is logged once, and changes nothing", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  const stranger = farm.add("stranger").backplane;
  const malformed = [new Uint8Array(), Uint8Array.of(0xc1), encode("text"), encode([1, 2, 3])];
  for (const channel of [SIGNS, nodeChannel("a")]) {
    for (const payload of malformed) await stranger.publish(channel, payload);
    await stranger.publish(channel, encode([2, 1, "of another version"]));
    await stranger.publish(channel, encode([1, 99, "of another kind"]));
    const long = [{ hub: "x".repeat(300_000), number: 1, told: 1, tails: [] }];
    await stranger.publish(channel, sign("b", { hubs: long }));
    // Its own messages may come back.
    await stranger.publish(channel, sign("a"));
  }
  assertEquals([one.others, one.hub.take()], [{}, []]);
  const texts = ["malformed", "of an unknown version or kind", "a sign of more than 262144 bytes"];
  assertEquals(
    one.log.warnings.all,
    texts.map((text) => `Ignored a message of another node: it is ${text}`),
  );
});

Deno.test("a flood of hellos is answered 100 times a second, and of nodes 999 are known", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a", "chat");
  const stranger = farm.add("stranger").backplane;
  said(one);
  for (let node = 0; node < 1500; node++) {
    await stranger.publish(SIGNS, sign(`n${node}`, { kind: "hello" }));
  }
  assertEquals(said(one).length, 100);
  assertEquals(one.cluster.nodes.length, 1001);
  assertEquals(one.log.warnings.all.length, 1);
  await farm.seconds(1, [one]);
  await stranger.publish(SIGNS, sign("n1", { kind: "hello", id: 2 }));
  assertEquals(said(one).filter(({ kind }) => kind === "sign").length, 1);
});

Deno.test("NodeCluster.become() only goes forward, and says it at once", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a");
  const two = await farm.start("b");
  one.cluster.become("draining");
  one.cluster.become("up");
  await settle();
  assertEquals(two.others, { a: "draining" });
  assertEquals(one.cluster.nodes[0]?.state, "draining");
});

Deno.test("NodeCluster.nodes says what is known of each node, this one first", async () => {
  await using farm = new ClusterFarm();
  const started = farm.clock.date();
  await farm.start("a");
  await farm.seconds(2);
  const two = await farm.start("b");
  const now = farm.clock.date();
  const same = { state: "up", connections: 3, lastSign: now } as const;
  assertEquals(two.cluster.nodes, [
    { name: "b", since: now, started: now, ...same },
    { name: "a", since: now, started, ...same },
  ]);
});
