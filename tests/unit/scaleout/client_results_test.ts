import { encode } from "@msgpack/msgpack";
import { assertEquals, assertRejects } from "@std/assert";
import { ClientConnectionError, type HubContext, HubError, MemoryBackplane } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { settle } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { TwoNodes } from "./two_nodes.ts";

interface Asked {
  ask(): number;
}

/** Asks a client of a node; the promise may be rejected before it is awaited. */
function ask(
  { hub }: PipeNode<RecordingBackplane>,
  id: string,
  timeout?: number,
): Promise<unknown> {
  const clients = hub.clients as unknown as HubContext<Asked>["clients"];
  const client = clients.client(id);
  const answer = (timeout === undefined ? client : client.with({ timeout })).invoke("ask");
  answer.catch(() => {});
  return answer;
}

/** The ids of the questions that a client was asked. */
function questions(two: TwoNodes): string[] {
  const records = two.ann.records as { type?: number; target?: string; invocationId: string }[];
  return records.filter(({ target }) => target === "ask").map(({ invocationId }) => invocationId);
}

/** Whether `promise` is pending once the turn is over. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = () => void (pending = false);
  promise.then(settled, settled);
  await endOfTurn();
  return pending;
}

Deno.test("a question of another node is forgotten when the other node has given it up", async () => {
  await using two = await TwoNodes.start();
  const answer = ask(two.asked, "ann", 50);
  await endOfTurn();
  assertEquals(two.owner.clock.pending, 1);
  two.asked.advance(50);
  await assertRejects(() => answer, HubError, "did not answer within 50 ms");
  two.owner.clock.advance(49);
  assertEquals(two.owner.clock.pending, 1);
  two.owner.clock.advance(1);
  assertEquals(two.owner.clock.pending, 0);
});

Deno.test("a question of a .NET node, which says no timeout, is kept for ten of our own", async () => {
  await using two = await TwoNodes.start({ clientResultTimeout: 100 });
  await using foreign = new MemoryBackplane(two.bus);
  const json = (id: string) =>
    new TextEncoder().encode(
      `{"type":1,"invocationId":"${id}","target":"ask","arguments":[]}\x1e`,
    );
  const tails = [
    ...[[], [null], [[]], [["node"]], [["node", 5]]],
    [["node", 5, 2, [1, { a: 1 }]], "text"],
  ];
  for (const [index, tail] of tails.entries()) {
    const id = `${index}`;
    const payload = encode([[], { json: json(id) }, id, "hub:internal:return:dotnet", ...tail]);
    await foreign.publish("hub:connection:ann", payload);
    await endOfTurn();
    two.owner.clock.advance(999);
    assertEquals(two.owner.clock.pending, 1, String(tail));
    two.owner.clock.advance(1);
    assertEquals(two.owner.clock.pending, 0);
  }
  assertEquals(questions(two), tails.map((_, index) => `${index}`));
});

Deno.test("invoke() of a client that owes too many results is refused at once, here", async () => {
  await using two = await TwoNodes.start({ maximumPendingResultsPerConnection: 2 });
  const text = "A connection has at most 2 results that its client has not sent " +
    "(maximumPendingResultsPerConnection).";
  for (const node of [two.asked, two.owner]) {
    const first = [ask(node, "ann", 50), ask(node, "ann", 50)];
    await settle();
    const before = [node.backplane.published.length, questions(two).length];
    await assertRejects(() => ask(node, "ann"), HubError, text);
    await endOfTurn();
    assertEquals([node.backplane.published.length, questions(two).length], before);
    for (const each of [two.asked, two.owner]) each.advance(50);
    for (const answer of first) await assertRejects(() => answer, HubError, "50 ms");
  }
});

Deno.test("invoke() of a client that owes too many results to all nodes is refused by its own", async () => {
  await using two = await TwoNodes.start();
  const options = { maximumPendingResultsPerConnection: 2 };
  await using strict = await PipeNode.start(new RecordingBackplane(two.bus), options);
  const bob = await strict.connect("bob");
  await endOfTurn();
  const first = [two.asked, two.owner].map((node) => ask(node, "bob", 50));
  await endOfTurn();
  await assertRejects(() => ask(two.asked, "bob"), HubError, "at most 2 results");
  // Both questions are open, and share a timer.
  assertEquals(strict.clock.pending, 1);
  for (const node of [two.asked, two.owner, strict]) node.advance(50);
  for (const answer of first) await assertRejects(() => answer, HubError, "50 ms");
  const again = ask(two.asked, "bob");
  await endOfTurn();
  const { invocationId } = bob.records.at(-1) as { invocationId: string };
  bob.send({ type: 3, invocationId, result: 1 });
  assertEquals(await again, 1);
});

Deno.test("invoke() waits for a client of ASP.NET Core, whose node cannot read a knock", async () => {
  await using two = await TwoNodes.start();
  two.asked.backplane.counts = false;
  for (const last of "AQgw") {
    const id = `${"x".repeat(21)}${last}`;
    const answer = ask(two.asked, id);
    await endOfTurn();
    two.asked.clock.advance(29_999);
    assertEquals(await isPending(answer), true);
    two.asked.clock.advance(1);
    await assertRejects(() => answer, ClientConnectionError, `Connection '${id}' does not exist.`);
    const asked = two.asked.backplane.publishedChannels;
    assertEquals(asked.filter((channel) => channel.includes(id)).length, 1);
  }
});

Deno.test("invoke() refuses what cannot be a connection id", async () => {
  await using two = await TwoNodes.start();
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
  for (const id of strange) {
    await assertRejects(() => ask(two.asked, id as string), HubError, "connection id");
  }
  assertEquals(two.asked.backplane.published, []);
});
