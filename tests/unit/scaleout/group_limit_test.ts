import { assertEquals, assertRejects } from "@std/assert";
import { HubError } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { until } from "../../kit/wait.ts";

const TEXT = "A connection has at most 10 groups (maximumGroupsPerConnection).";

Deno.test("groups.add() beyond maximumGroupsPerConnection is refused, and of a member it is free", async () => {
  const backplane = new RecordingBackplane();
  await using node = await PipeNode.start(backplane, { maximumGroupsPerConnection: 10 });
  const { groups } = node;
  // The channel of a user is not a group.
  const ann = await node.connect("ann", "user");
  await node.connect("bob");
  for (const id of ["ann", "bob"]) {
    for (let number = 0; number < 10; number++) await groups.add(id, `group ${number}`);
    for (let time = 0; time < 2; time++) {
      await assertRejects(() => groups.add(id, "too many"), HubError, TEXT);
      await groups.add(id, "group 9");
    }
  }
  assertEquals(backplane.subscribes("hub:group:too many"), 0);
  await groups.remove("ann", "group 0");
  await groups.add("ann", "another");
  await assertRejects(() => groups.add("ann", "too many"), HubError, TEXT);
  await node.clients.user("user").send("heard", "still there");
  await ann.heard.count(1);
});

Deno.test("groups.add() that the bus refuses counts no longer", async () => {
  const backplane = new RecordingBackplane();
  await using node = await PipeNode.start(backplane, { maximumGroupsPerConnection: 10 });
  await node.connect("ann");
  backplane.beforeSubscribe = () => Promise.reject(new Error("no"));
  for (let number = 0; number < 20; number++) {
    await assertRejects(() => node.groups.add("ann", `group ${number}`), Error, "no");
  }
  const many = Array.from({ length: 11 }, (_, number) => node.groups.add("ann", `late ${number}`));
  const results = await Promise.allSettled(many);
  assertEquals(results.map((result) => result.status === "rejected" && String(result.reason)), [
    ...Array(10).fill("Error: no"),
    `HubError: ${TEXT}`,
  ]);
});

Deno.test("a closed connection that leaves many groups is sent nothing, and takes no new member with it", async () => {
  const backplane = new RecordingBackplane();
  await using node = await PipeNode.start(backplane, { maximumGroupsPerConnection: 10_000 });
  const ann = await node.connect("ann");
  const bob = await node.connect("bob");
  const names = Array.from({ length: 1000 }, (_, number) => `group ${number}`);
  await Promise.all(names.map((name) => node.groups.add("ann", name)));
  ann.vanish();
  await node.groups.add("bob", "group 999");
  await node.clients.groups(["group 0", "group 998", "group 999"]).send("heard", "late");
  await ann.finished;
  await bob.heard.count(1);
  assertEquals(ann.texts, []);
  const left = () => [...backplane.channels].filter((channel) => channel.startsWith("hub:group:"));
  await until(() => {
    node.advance(1000);
    return left().length === 1;
  });
  assertEquals(left(), ["hub:group:group 999"]);
  await node.clients.group("group 999").send("heard", "last");
  await bob.heard.count(2);
});
