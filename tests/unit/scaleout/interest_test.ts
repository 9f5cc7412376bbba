import { assertEquals } from "@std/assert";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

/** The channels that a node with connections has beyond those of every node. */
function interest(node: PipeNode<RecordingBackplane>): string[] {
  const base = node.baseChannels;
  for (const channel of base) assertEquals(node.backplane.channels.has(channel), true, channel);
  return [...node.backplane.channels].filter((channel) => !base.includes(channel)).sort();
}

Deno.test("createHubServer() subscribes a connection and its user while they are connected", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  assertEquals(interest(node), []);
  const anonymous = await node.connect("1");
  assertEquals(interest(node), ["hub:connection:1"]);
  const ann = await node.connect("2", "ann");
  assertEquals(interest(node), ["hub:connection:1", "hub:connection:2", "hub:user:ann"]);
  await ann.leave();
  node.advance(1000);
  assertEquals(interest(node), ["hub:connection:1"]);
  await anonymous.leave();
  node.advance(1000);
  assertEquals(interest(node), []);
});

Deno.test("createHubServer() subscribes a user with the first connection and gives it up with the last", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  const first = await node.connect("1", "ann");
  const second = await node.connect("2", "ann");
  assertEquals(node.backplane.subscribes("hub:user:ann"), 1);
  await first.leave();
  node.advance(10_000);
  assertEquals(interest(node), ["hub:connection:2", "hub:user:ann"]);
  await node.clients.user("ann").send("heard", "still here");
  await second.heard.count(1);
  await second.leave();
  node.advance(999);
  const third = await node.connect("3", "ann");
  node.advance(10_000);
  assertEquals(interest(node), ["hub:connection:3", "hub:user:ann"]);
  assertEquals(node.backplane.subscribes("hub:user:ann"), 1);
  await third.leave();
  node.advance(1000);
  assertEquals(interest(node), []);
});

Deno.test("createHubServer() subscribes a group while it hosts a member, however members leave", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  const [ann, bob] = [await node.connect("ann"), await node.connect("bob")];
  for (const id of ["ann", "bob"]) {
    for (const group of ["a", "b"]) await node.groups.add(id, group);
  }
  await node.groups.remove("ann", "a");
  node.advance(1000);
  const groups = ["hub:group:a", "hub:group:b"];
  assertEquals(interest(node), ["hub:connection:ann", "hub:connection:bob", ...groups]);
  await bob.leave();
  node.advance(1000);
  assertEquals(interest(node), ["hub:connection:ann", "hub:group:b"]);
  await ann.leave();
  node.advance(1000);
  assertEquals(interest(node), []);
});

Deno.test("createHubServer() takes a client that reads too slowly out of its groups at once", async () => {
  const known: boolean[] = [];
  const gate = Promise.withResolvers<void>();
  await using node = await PipeNode.start(new RecordingBackplane(), {
    maximumBufferedBytes: 1000,
    disconnected: () => gate.promise,
  });
  const slow = await node.connect("slow");
  await node.groups.add("slow", "group");
  slow.stuck = true;
  // Not awaited: an awaited send waits for its clients.
  for (let sent = 0; sent < 3; sent++) {
    node.clients.group("group").send("heard", "x".repeat(600));
  }
  // Its `disconnected` still runs, and it has left already.
  node.advance(1000);
  known.push(node.backplane.channels.has("hub:connection:slow"));
  known.push(node.backplane.channels.has("hub:group:group"));
  gate.resolve();
  await slow.finished;
  assertEquals(known, [true, false]);
});
