import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BackplaneUnavailableError,
  ClientConnectionError,
  GroupAckTimeoutError,
  type HubContext,
  HubError,
} from "../../../mod.ts";
import { nodeChannel } from "../../../hub/bus/node_messages.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import type { PipeNodeOptions } from "../../kit/pipe_node.ts";
import { TwoNodes } from "./two_nodes.ts";

/** Long enough that only something else ends a wait. */
const LONG = 600_000;

interface AskedClient {
  ask(): number;
}

/** Two nodes that know each other, on a bus that has been open for long. */
async function start(options: PipeNodeOptions = {}): Promise<TwoNodes> {
  const two = await TwoNodes.start({ groupAckTimeout: LONG, ...options });
  for (const { backplane, cluster } of [two.asked, two.owner]) {
    backplane.heedsNodes = true;
    await cluster.start();
  }
  await pass(two, 2000);
  two.asked.backplane.published.length = 0;
  return two;
}

/** Lets time pass on nodes that live: on both, unless told otherwise. */
async function pass(two: TwoNodes, duration: number, living = [two.asked, two.owner]) {
  for (let passed = 250; passed <= duration; passed += 250) {
    for (const { clock } of living) clock.advance(250);
    for (const node of passed % 1000 === 0 ? living : []) node.advance(0);
    await endOfTurn();
  }
}

/** Asks a client; the outcome is kept. */
function ask({ asked }: TwoNodes, id: string, timeout = LONG): Outcome {
  const clients = asked.hub.clients as unknown as HubContext<AskedClient>["clients"];
  return new Outcome(clients.client(id).with({ timeout }).invoke("ask"));
}

/** What becomes of a promise. */
class Outcome {
  pending = true;
  readonly promise: Promise<unknown>;

  constructor(promise: Promise<unknown>) {
    this.promise = promise;
    const settled = () => void (this.pending = false);
    promise.then(settled, settled);
  }

  async rejects(kind: new (...args: never[]) => Error, text: string): Promise<void> {
    assertEquals(this.pending, false);
    await assertRejects(() => this.promise, kind as new (...args: unknown[]) => Error, text);
  }
}

/** The channels of connections and nodes on which the asking node has published. */
function knocks({ asked }: TwoNodes): string[] {
  return asked.backplane.publishedChannels.filter((channel) =>
    channel.startsWith("hub:connection:") || channel.startsWith(nodeChannel(""))
  );
}

Deno.test("groups.add() and groups.remove() fail within a second if no node has the connection", async () => {
  await using two = await start();
  const { groups } = two.asked;
  const changes = ["add", "remove"] as const;
  const outcomes = changes.map((change) => new Outcome(groups[change]("nobody", "group")));
  await pass(two, 250);
  assertEquals(outcomes.map(({ pending }) => pending), [true, true]);
  await pass(two, 250);
  const text = 'Cannot change the groups of connection "nobody": no node has the connection';
  for (const outcome of outcomes) await outcome.rejects(GroupAckTimeoutError, text);
  assertEquals(knocks(two), ["hub:connection:nobody", "hub:connection:nobody"]);
});

Deno.test("groups.add() and invoke() fail after 5 s if no node has the connection, where the bus cannot count", async () => {
  await using two = await start();
  two.asked.backplane.counts = false;
  const outcomes = [
    ask(two, "nobody"),
    new Outcome(two.asked.groups.add("nobody", "group")),
  ] as const;
  await pass(two, 5000);
  assertEquals(outcomes.map(({ pending }) => pending), [true, true]);
  await pass(two, 250);
  await outcomes[0].rejects(ClientConnectionError, "Connection 'nobody' does not exist.");
  await outcomes[1].rejects(GroupAckTimeoutError, "no node has the connection");
});

Deno.test("invoke() says at its timeout what is known of the connection, where the bus cannot count", async () => {
  await using two = await start();
  two.asked.backplane.counts = false;
  const [soon, later] = [ask(two, "nobody", 250), ask(two, "nobody", 750)];
  await pass(two, 750);
  await soon.rejects(HubError, "The client did not answer within 250 ms.");
  await later.rejects(ClientConnectionError, "Connection 'nobody' does not exist.");
});

Deno.test("invoke() waits for a client that is there, though the bus cannot count and the client is slow", async () => {
  await using two = await start();
  for (const { backplane } of [two.asked, two.owner]) backplane.counts = false;
  const outcome = ask(two, "ann", 20_000);
  await pass(two, 19_750);
  assertEquals(outcome.pending, true);
  // The question and one knock; the other knocks are for its node.
  assertEquals(knocks(two).filter((channel) => channel === "hub:connection:ann").length, 2);
  await pass(two, 250);
  await outcome.rejects(HubError, "The client did not answer within 20000 ms.");
  const before = knocks(two).length;
  await pass(two, 1000);
  assertEquals(knocks(two).length, before);
});

Deno.test("invoke() and groups.add() fail within a second when the node of the connection is killed", async () => {
  await using two = await start();
  // The acknowledgement is lost, so that both wait.
  two.owner.backplane.swallowsPublish = (channel) => channel.includes(":ack:");
  const outcomes = [ask(two, "ann"), new Outcome(two.asked.groups.add("ann", "group"))] as const;
  await pass(two, 2000);
  assertEquals(outcomes.map(({ pending }) => pending), [true, true]);
  // The bus notices that the process has gone.
  await two.owner.backplane.close();
  await pass(two, 500, [two.asked]);
  await outcomes[0].rejects(ClientConnectionError, "Connection 'ann' disconnected.");
  await outcomes[1].rejects(GroupAckTimeoutError, "no node has the connection");
});

Deno.test("invoke() fails within 7 s when the node of the connection falls silent", async () => {
  await using two = await start();
  const outcome = ask(two, "ann");
  await pass(two, 2000);
  await pass(two, 4000, [two.asked]);
  assertEquals(outcome.pending, true);
  await pass(two, 3000, [two.asked]);
  await outcome.rejects(ClientConnectionError, "Connection 'ann' disconnected.");
});

Deno.test("invoke() fails at once when the node of the connection says goodbye", async () => {
  await using two = await start();
  const outcome = ask(two, "ann");
  await pass(two, 500);
  const closing = two.owner.cluster.close();
  await endOfTurn();
  await closing;
  await outcome.rejects(ClientConnectionError, "Connection 'ann' disconnected.");
});

Deno.test("invoke() whose answer was lost with the bus fails once the connection is known to have gone", async () => {
  await using two = await start();
  const outcome = ask(two, "ann");
  await pass(two, 500);
  two.owner.backplane.refusesPublish = () => new BackplaneUnavailableError("away");
  await two.ann.leave();
  await endOfTurn();
  two.owner.backplane.refusesPublish = () => undefined;
  two.bus.stop();
  two.bus.start();
  await pass(two, 2000);
  assertEquals(outcome.pending, true);
  await pass(two, 1000);
  await outcome.rejects(ClientConnectionError, "Connection 'ann' disconnected.");
});

Deno.test("a knock never reaches a client, and is not logged", async () => {
  await using two = await start();
  const outcome = ask(two, "ann", 1000);
  const before = two.ann.records.length;
  await pass(two, 1000);
  await outcome.rejects(HubError, "The client did not answer");
  assert(knocks(two).length >= 3);
  assertEquals(two.ann.records.length - before, 1);
  for (const { logger } of [two.asked, two.owner]) assertEquals(logger.lines, []);
});

Deno.test("no knock is sent for a connection of ASP.NET Core", async () => {
  await using two = await start({ groupAckTimeout: 5000 });
  two.asked.backplane.counts = false;
  const outcomes = [..."AQgw"].flatMap((last) => {
    const id = `${"x".repeat(21)}${last}`;
    return [ask(two, id, 20_000), new Outcome(two.asked.groups.add(id, "group"))];
  });
  await pass(two, 4750);
  assertEquals(outcomes.every(({ pending }) => pending), true);
  // The four questions.
  assertEquals(knocks(two).length, 4);
  await pass(two, 15_250);
  assertEquals(outcomes.some(({ pending }) => pending), false);
});

Deno.test("a flood of group changes for connections that no node has does not flood the bus", async () => {
  await using two = await start();
  const outcomes = Array.from(
    { length: 3000 },
    (_, n) => new Outcome(two.asked.groups.add(`nobody ${n}`, "group")),
  );
  for (let round = 1; outcomes.some(({ pending }) => pending); round++) {
    const before = knocks(two).length;
    await pass(two, 250);
    assert(knocks(two).length - before <= 1000);
    assert(round < 20);
  }
  assertEquals(knocks(two).length, 6000);
});
