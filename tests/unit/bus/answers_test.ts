import { assertEquals } from "@std/assert";
import { Answers, type NumberQuestion } from "../../../hub/bus/answers.ts";
import type { BackplaneStatus } from "../../../backplanes/backplane.ts";
import type { HubMessage } from "../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../hub/bus/numbering.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** A node whose answers stay under way until the test says that the bus has taken one. */
class Answering {
  readonly answers: Answers;
  readonly told: { readonly to: string; readonly message: HubMessage }[] = [];
  status: BackplaneStatus = "open";
  readonly #taken: (() => void)[] = [];

  constructor() {
    const time = new ManualClock();
    const tell = (to: string, message: HubMessage) => {
      this.told.push({ to, message });
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#taken.push(() => resolve(undefined));
      return promise;
    };
    const status = () => this.status;
    const cluster = {
      tell,
      get status() {
        return status();
      },
    };
    const numbering = new Numbering(1000);
    const context = { serverName: "self", time, scheduler: new Scheduler(time), cluster };
    this.answers = new Answers(context, numbering);
  }

  ask(from: string, id: number): void {
    const question: NumberQuestion = {
      ...{ kind: "askIndex", id, node: from, hub: "hub", after: 0, age: undefined },
    };
    this.answers.give(question);
  }

  /** The bus takes the oldest answer, as long as there is one. */
  async takeAll(): Promise<void> {
    for (let take = this.#taken.shift(); take !== undefined; take = this.#taken.shift()) {
      take();
      await settle();
    }
  }
}

Deno.test("Answers has four answers under way, and a thousand questions waiting", async () => {
  const node = new Answering();
  for (let index = 0; index < 5000; index++) node.ask(`node ${index}`, 1);
  assertEquals(node.told.length, 4);
  await node.takeAll();
  assertEquals(node.told.map(({ to }) => to), [...Array(1004).keys()].map((n) => `node ${n}`));
});

Deno.test("Answers gives one answer to a question that was repeated while it waited", async () => {
  const node = new Answering();
  for (let index = 0; index < 4; index++) node.ask(`node ${index}`, 1);
  for (let id = 1; id <= 20; id++) node.ask("slow", id);
  await node.takeAll();
  assertEquals(node.told.slice(4).map(({ to, message }) => [to, message.id]), [["slow", 20]]);
});

Deno.test("Answers answers no copy of a question, and each repetition", async () => {
  const node = new Answering();
  for (const id of [1, 1, 2, 1, 2, 3]) {
    node.ask("node", id);
    await node.takeAll();
  }
  node.ask("other", 1);
  assertEquals(node.told.map(({ to, message }) => [to, message.id]), [
    ...[["node", 1], ["node", 2], ["node", 3]],
    ["other", 1],
  ]);
});

Deno.test("Answers drops the questions that wait when the bus goes away", async () => {
  const node = new Answering();
  for (let index = 0; index < 10; index++) node.ask(`node ${index}`, 1);
  node.status = "reconnecting";
  await node.takeAll();
  assertEquals(node.told.length, 4);
  node.status = "open";
  node.ask("node 9", 2);
  assertEquals(node.told.length, 5);
});
