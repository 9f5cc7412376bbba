import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import type { Backplane } from "../../../mod.ts";
import { randomPrefix } from "../../kit/wait.ts";
import { type Bus, BUSES } from "./buses.ts";
import { PipeNode } from "../../kit/pipe_node.ts";

/** Two nodes on `bus` that give a channel up as soon as its last member has left. */
async function startNodes(bus: Bus) {
  const prefix = randomPrefix();
  const options = { unsubscribeDelay: 0 };
  const one = await PipeNode.start(await bus.open(prefix), options);
  const two = await PipeNode.start(await bus.open(prefix), options);
  return { one, two };
}

/** Sends the numbers from 0 to the group until it is stopped, one in each millisecond of all nodes. */
class Sender {
  /** The number that is sent next. */
  next = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(node: PipeNode<Backplane>, ...others: PipeNode<Backplane>[]) {
    this.#done = this.#run(node, others);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(node: PipeNode<Backplane>, others: readonly PipeNode<Backplane>[]): Promise<void> {
    while (!this.#stopped) {
      for (const { clock } of [node, ...others]) clock.advance(1);
      await node.clients.group("group").send("heard", this.next++);
      // Lets the receiving side have its turns.
      if (this.next % 3 === 0) await delay(0);
    }
  }
}

for (const [driver, open] of Object.entries(BUSES)) {
  Deno.test(`groups.add() resolves only when what others send from then on arrives, over ${driver}`, async () => {
    await using bus = await open();
    const { one, two } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    const ann = await one.connect("ann");
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      // Half of them are asked for by the node that then sends.
      await (round % 2 === 0 ? one : two).groups.add("ann", `group ${round}`);
      await two.clients.group(`group ${round}`).send("heard", round);
    }
    await ann.heard.count(rounds);
    const expected = Array.from({ length: rounds }, (_, round) => round);
    assertEquals(ann.texts.toSorted((a, b) => Number(a) - Number(b)), expected);
  });

  Deno.test(`groups.add() and groups.remove() over and over lose and repeat nothing over ${driver}`, async () => {
    await using bus = await open();
    const { one, two } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    const ann = await one.connect("ann");
    const sender = new Sender(two, one);
    try {
      for (let round = 0; round < 40; round++) {
        const before = ann.heard.all.length;
        await one.groups.add("ann", "group");
        const first = sender.next;
        await ann.heard.find(([, number]) => Number(number) >= first + 5);
        await one.groups.remove("ann", "group");
        const promised = ann.texts.slice(before).map(Number).filter((number) => number >= first);
        assertEquals(promised, promised.map((_, index) => first + index));
        // Leaves the bus, or is in the group again before it could.
        if (round % 2 === 0) { for (const node of [one, two]) node.advance(1); }
        if (round % 4 === 0) await delay(0);
      }
    } finally {
      await sender.stop();
    }
    const all = ann.texts.map(Number);
    assert(all.every((number, index) => index === 0 || number > (all[index - 1] ?? 0)));
  });
}
