import { assertEquals, assertRejects } from "@std/assert";
import { type HubContext, HubError } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { settle } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";

interface Asked {
  heard(value: number): number;
}

/** What fails, by the beginning of its log entry. */
const FAILURES = {
  "send() failed, and nobody awaits its promise: TypeError": (node: PipeNode<RecordingBackplane>) =>
    node.clients.all.send("heard", NaN, "NaN"),
  "send() failed, and nobody awaits its promise: HubError": (node) =>
    node.clients.group("x".repeat(300)).send("heard", 1),
  "groups.add() failed, and nobody awaits its promise: HubError": (node) =>
    node.groups.add("ann", "x".repeat(300)),
  "groups.remove() failed, and nobody awaits its promise: HubError": (node) =>
    node.groups.remove("ann", ""),
  "groups.add() failed, and nobody awaits its promise: GroupAckTimeoutError": (node) =>
    node.groups.add("nobody", "group"),
  "invoke() failed, and nobody awaits its promise: ClientConnectionError": (node) =>
    (node.clients as unknown as HubContext<Asked>["clients"]).client("nobody").invoke("heard", 1),
} satisfies Record<string, (node: PipeNode<RecordingBackplane>) => Promise<unknown>>;

for (const [entry, fail] of Object.entries(FAILURES)) {
  Deno.test(`${entry}: is logged once a minute if nobody awaits it, and else not at all`, async () => {
    const backplane = new RecordingBackplane();
    await using node = await PipeNode.start(backplane, { groupAckTimeout: 10 });
    await node.connect("ann");
    const warnings = () => node.logger.lines.filter((line) => line.startsWith("warn"));
    /** Everything that can fail has failed. */
    const pass = async () => {
      await settle();
      node.clock.advance(10);
      await settle();
    };
    const awaited = fail(node);
    const rejected = assertRejects(() => awaited);
    const caught = fail(node).catch(() => {});
    const all = Promise.allSettled([fail(node)]);
    const returned = (async () => await fail(node))().catch(() => {});
    await pass();
    await Promise.all([rejected, caught, all, returned]);
    assertEquals(warnings(), []);
    for (let time = 0; time < 5; time++) fail(node);
    await pass();
    assertEquals(warnings().map((line) => line.slice(5, 5 + entry.length)), [entry]);
    node.advance(60_000);
    assertEquals(warnings()[1]?.endsWith("(4 times more in a minute)"), true);
  });
}

Deno.test("a hub method that returns a failed promise is told of the failure, and nothing is logged twice", async () => {
  const methods = {
    say: ({ clients }: HubContext<Asked>) => clients.group("x".repeat(300)).send("heard", 1),
    join: ({ groups, connectionId }: HubContext<Asked>) =>
      groups.add(connectionId, "x".repeat(300)),
  };
  await using node = await PipeNode.start(new RecordingBackplane(), { methods });
  const ann = await node.connect("ann");
  for (const method of ["say", "join"]) {
    await assertRejects(() => ann.invoke(method), Error, "longer than 256 bytes");
  }
  await settle();
  assertEquals(node.logger.warnings.all, []);
  await assertRejects(() => node.groups.add("ann", ""), HubError);
});
