/**
 * A connection that goes round all nodes of a real bus, while all of them send.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import type { Backplane } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { randomPrefix } from "../../kit/wait.ts";
import { sized } from "../../kit/sizes.ts";
import { MovingClient, requestOf } from "../../unit/moves/moving_client.ts";
import { type Bus, BUSES, SERVED_BUSES } from "../scaleout/buses.ts";

type Node = PipeNode<Backplane>;

const NODES = 3;
/** How often the connection moves, and the pause before each move, in milliseconds. */
const MOVES = sized(9, 300);
const PAUSE = 40;
/** How often each node sends, in milliseconds. */
const SENDING = 5;
const TARGETS = ["group", "user", "connection", "all"] as const;

/** Lets the time of nodes pass as fast as the real one. */
function tickAlways(nodes: readonly Node[]): Disposable {
  let [before, left] = [performance.now(), 1000];
  const timer = setInterval(() => {
    const now = performance.now();
    const passed = now - before;
    before = now;
    left -= passed;
    for (const node of nodes) node.clock.advance(passed);
    if (left > 0) return;
    left = 1000;
    for (const node of nodes) node.advance(0);
  }, 5);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Sends numbered messages to the connection in every way, until the result is disposed. */
function sendAlways(node: Node, index: number, sent: string[]): Disposable {
  let count = 0;
  const timer = setInterval(() => {
    const target = TARGETS[count % TARGETS.length] ?? "all";
    const text = `${index} ${target} ${count++}`;
    sent.push(text);
    const { clients } = node;
    const proxy = {
      group: clients.group("g"),
      user: clients.user("ann"),
      connection: clients.client("c1"),
      all: clients.all,
    }[target];
    void proxy.send("heard", text);
  }, SENDING);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The client loses its socket, and comes to another node, which claims the connection. */
async function move(client: MovingClient, to: Node): Promise<void> {
  client.peer.handle(1);
  client.peer.cut(true);
  const origin = { user: { id: "ann" }, request: requestOf("again") };
  const outcome = await to.hub.handovers.claim("c1", origin, 15_000).outcome;
  assert(typeof outcome === "object", `the claim is ${outcome}`);
  client.connection = outcome.connection;
  client.peer.comeBack();
  client.peer.handle();
  client.peer.acknowledge();
  assert(await outcome.whole, "something was lost");
}

/** Moves a connection round the nodes while all of them send; nothing may be lost, doubled or out of order. */
async function goRound(bus: Bus, moves: number, whileMoving = () => Promise.resolve()) {
  const prefix = randomPrefix();
  const nodes: Node[] = [];
  using _time = tickAlways(nodes);
  for (let index = 0; index < NODES; index++) {
    nodes.push(await PipeNode.start(await bus.open(prefix)));
  }
  const [first] = nodes;
  assert(first !== undefined);
  const client = new MovingClient(first, "c1", "ann");
  await settle();
  await first.groups.add("c1", "g");
  await delay(100);
  const sent: string[] = [];
  const sending = nodes.map((node, index) => sendAlways(node, index, sent));
  const done = whileMoving();
  for (let count = 1; count <= moves; count++) {
    await delay(PAUSE);
    const node = nodes[count % NODES];
    if (node !== undefined) await move(client, node);
  }
  await done;
  for (const sender of sending) sender[Symbol.dispose]();
  await delay(1500);
  client.peer.handle();
  const heard = client.peer.heard as string[];
  for (let index = 0; index < NODES; index++) {
    for (const target of TARGETS) {
      const of = (texts: string[]) =>
        texts.filter((text) => text.startsWith(`${index} ${target} `));
      assertEquals(of(heard), of(sent));
    }
  }
  assertEquals(heard.length, sent.length);
  for (const node of nodes) await node[Symbol.asyncDispose]();
}

for (const [driver, start] of Object.entries(BUSES)) {
  Deno.test(`a connection moves round the nodes on ${driver} and misses nothing`, async () => {
    await using bus = await start();
    await goRound(bus, MOVES);
  });
}

for (const [driver, start] of Object.entries(SERVED_BUSES)) {
  Deno.test(`a connection moves on although ${driver} is away for two seconds`, async () => {
    await using bus = await start();
    await goRound(bus, 9, async () => {
      await delay(3 * PAUSE);
      await bus.server.stop();
      await delay(2000);
      await bus.server.start();
    });
  });
}
