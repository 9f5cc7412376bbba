import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHubServer, defineHub, HubError, MemoryBackplane } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { PipeNode } from "../../kit/pipe_node.ts";

Deno.test("send() refuses what cannot be a connection id, before anybody has the message", async () => {
  await using node = await PipeNode.start(new RecordingBackplane());
  const ann = await node.connect("ann");
  await node.groups.add("ann", "group");
  const strange: unknown[] = [
    null,
    undefined,
    1,
    {},
    "",
    "x".repeat(257),
    "é".repeat(129),
    "\ud800",
  ];
  const { clients } = node;
  for (const value of strange) {
    const id = value as string;
    for (
      const set of [
        clients.client(id),
        clients.clients(["ann", id]),
        clients.allExcept([id]),
        clients.groupExcept("group", ["bob", id]),
      ]
    ) await assertRejects(() => set.send("heard", 1), HubError, "connection id");
  }
  assertEquals(node.backplane.published, []);
  await clients.client("é".repeat(128)).send("heard", "nobody");
  await clients.client("ann").send("heard", "last");
  await ann.heard.count(1);
  assertEquals(ann.texts, ["last"]);
});

Deno.test("createHubServer() refuses a hub whose name and names do not fit into a channel", async () => {
  const hub = defineHub({ methods: {} });
  const serve = (name: string, maximumNameBytes: number) =>
    createHubServer({
      hubs: { [`/${name}`]: hub },
      backplane: new MemoryBackplane(),
      maximumNameBytes,
    });
  // Of a channel's 1,024 bytes 7 are `:group:`.
  for (const [name, bytes] of [["x".repeat(160), 800], ["é".repeat(160), 697]] as const) {
    await using server = serve(name, bytes);
    await server.ready;
    const { clients, groups } = server.hub(`/${name}`);
    await clients.group("g".repeat(bytes)).send("x" as never);
    await clients.client("c".repeat(256)).send("x" as never);
    await assertRejects(() => groups.add("c", "g".repeat(bytes + 1)), HubError);
  }
  const text = "Cannot use maximumNameBytes: 698 is more than the 697 bytes that the name of hub";
  assertThrows(() => serve("é".repeat(160), 698), RangeError, text);
});
