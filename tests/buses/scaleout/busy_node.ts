import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { openBackplane, type OpenBackplaneOptions } from "../../../backplanes/open.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { KeptLog } from "../../kit/log.ts";
import { until, untilStatus } from "../../kit/wait.ts";
import { Node, type OfficialClient } from "./nodes.ts";

/** The pause between two messages of a node, in milliseconds. */
const PAUSE = 5;

/** The messages that a node has sent when a member of the group begins to hear it, or does not any more. */
type Counts = Map<BusyNode, number>;

const NONE = { lost: [], twice: [], late: [] };

/** What is wrong with numbers that should be all from `from` to `to`, once and in order. */
function faultsOf(numbers: readonly number[], from: number, to: number): typeof NONE | unknown {
  const heard = new Set(numbers);
  const all = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return {
    lost: all.filter((number) => !heard.has(number)),
    twice: numbers.filter((number, index) => numbers.indexOf(number) < index),
    late: numbers.filter((number, index) => number < (numbers[index - 1] ?? 0)),
  };
}

/**
 * A node that sends numbered messages to a group all the time, and has one member of that group, who writes
 * down what comes.
 */
export class BusyNode {
  readonly #name: string;
  readonly #node: Node;
  readonly #member: OfficialClient;
  readonly #parts: SeveralBackplanes | undefined;
  readonly #outcomes: Promise<void>[] = [];
  /** What the others had sent when the member was in the group, and when it left. */
  readonly #first: Counts = new Map();
  readonly #last: Counts = new Map();
  #sent = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(name: string, node: Node, member: OfficialClient, parts?: SeveralBackplanes) {
    this.#name = name;
    this.#node = node;
    this.#member = member;
    this.#parts = parts;
  }

  /** Starts a node on these buses, which hears `others` from now on. */
  static async start(
    name: string,
    urls: string | string[],
    { others, options }: {
      readonly others: Iterable<BusyNode>;
      readonly options?: OpenBackplaneOptions;
    },
  ): Promise<BusyNode> {
    const logger = new KeptLog();
    const backplane = await openBackplane(urls, { logger, ...options });
    const node = await Node.start(backplane);
    const member = await node.connect();
    await node.groups.add(member.id, "group");
    const parts = backplane instanceof SeveralBackplanes ? backplane : undefined;
    const busy = new BusyNode(name, node, member, parts);
    for (const other of others) {
      busy.#first.set(other, other.#sent);
      other.#first.set(busy, 0);
    }
    return busy;
  }

  /** Begins to send. From now on nothing may be logged. */
  begin(): void {
    this.#node.logger.lines.length = 0;
    this.#timer = setInterval(() => this.#send(), PAUSE);
  }

  /** Resolves when the node is on all of its buses. */
  async onAll(): Promise<void> {
    for (const part of this.#parts?.backplanes ?? []) await untilStatus(part, "open");
  }

  /** Resolves when all nodes have given a sign since, and the questions after these signs are answered. */
  async settled(): Promise<void> {
    const since = Date.now();
    const living = () => this.#node.server.nodes.filter(({ state }) => state === "up");
    await until(() => living().every(({ lastSign }) => lastSign !== undefined && lastSign > since));
    await delay(100);
  }

  /** How many messages of others the member has heard. */
  get heard(): number {
    return this.#member.heard.all.length;
  }

  /** Stops sending. Every message must have been accepted. */
  async quiet(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#outcomes);
  }

  /** Ends the node while others go on: its member leaves, then it sends no more, then it is closed. */
  async end(): Promise<void> {
    for (const other of this.#first.keys()) {
      if (!this.#last.has(other)) this.#last.set(other, other.#sent);
    }
    await this.#untilHeard();
    await this.#member[Symbol.asyncDispose]();
    await this.quiet();
    for (const other of this.#first.keys()) {
      if (!other.#last.has(this)) other.#last.set(this, this.#sent);
    }
    await this.#node[Symbol.asyncDispose]();
  }

  /** Checks that the member has heard every message of the others once, in order, and that nothing is logged. */
  check(): void {
    for (const [other, first] of this.#first) {
      const numbers = this.#numbersOf(other);
      const from = Math.min(numbers[0] ?? first + 1, first + 1);
      const to = Math.max(numbers.at(-1) ?? 0, this.#last.get(other) ?? 0);
      assertEquals(faultsOf(numbers, from, to), NONE, `${this.#name} of ${other.#name}`);
    }
    const own = this.#numbersOf(this);
    assertEquals(faultsOf(own, 1, own.length), NONE, `${this.#name} of itself`);
    assertEquals(this.#node.logger.lines, [], `the log of ${this.#name}`);
  }

  async #untilHeard(): Promise<void> {
    for (const [other, last] of this.#last) {
      const first = this.#first.get(other) ?? 0;
      await until(() => last === first || (this.#numbersOf(other).at(-1) ?? 0) >= last);
    }
  }

  #numbersOf(other: BusyNode): number[] {
    return this.#member.heard.all.filter(([name]) => name === other.#name)
      .map(([, number]) => Number(number));
  }

  #send(): void {
    this.#outcomes.push(this.#node.clients.group("group").send("heard", this.#name, ++this.#sent));
  }
}
