/**
 * Random lives of three connections on two nodes, against the rule in a few lines.
 *
 * @module
 */
import { assertEquals, fail } from "@std/assert";
import fc from "fast-check";
import type { WatchedConnection } from "../../../hub/routing/watched_connections.ts";
import { type Answer, Watch } from "./watch.ts";

const CONNECTIONS = ["ann", "bob", "eve"] as const;
const NODES = ["one", "two"] as const;

/** A knock on a door, and the answer of the bus. */
interface Knock {
  readonly at: number;
  readonly answer: Answer;
}

/** How a connection is by the rule. */
interface Expected {
  readonly waits: WatchedConnection[];
  home: string | undefined;
  /** Whether its own channel is knocked on. */
  isAsked: boolean;
}

/** A watch, and the rule beside it. */
class Checked {
  readonly watch = new Watch();
  /** The knocks on each door since the knocks on it began, or the bus has opened. */
  readonly knocks = new Map<string, Knock[]>();
  readonly expected = new Map<string, Expected>();
  readonly answers = new Map<string, Answer>();
  #isAway = false;
  openedAt = this.watch.clock.now();

  constructor() {
    this.watch.answers = (channel) => {
      const answer = this.answers.get(channel);
      this.knocks.get(channel)?.push({ at: this.watch.clock.now(), answer });
      return answer;
    };
  }

  /** Whether two knocks in a row were not heard by any node, on a bus that had been open for 2 s. */
  isUnheard(door: string): boolean {
    const last = this.knocks.get(door)?.slice(-2) ?? [];
    return last.length === 2 &&
      last.every(({ at, answer }) => answer === 0 && at - this.openedAt >= 2000);
  }

  /** How many knocks the bus has taken. */
  taken(door: string): number {
    return this.knocks.get(door)?.filter(({ answer }) => answer !== "away").length ?? 0;
  }

  /** Whether the bus has said that nobody has a connection, or that its node is there no more. */
  isNobodys(id: string, { home, isAsked }: Expected): boolean {
    return isAsked && this.isUnheard(id) || home !== undefined && this.isUnheard(home);
  }

  begin(id: string): void {
    let expected = this.expected.get(id);
    if (expected === undefined) {
      this.expected.set(id, expected = { waits: [], home: undefined, isAsked: true });
      this.knocks.set(id, []);
    }
    expected.waits.push(this.watch.begin(id));
  }

  end(id: string): void {
    const expected = this.expected.get(id);
    const wait = expected?.waits.pop();
    if (wait === undefined) return;
    this.watch.connections.end(wait);
    if (expected?.waits.length === 0) this.#forget(id);
  }

  here(id: string, node: string): void {
    const expected = this.expected.get(id);
    this.watch.here(id, node);
    const asked = this.watch.knockIds.get(id);
    this.watch.knockIds.delete(id);
    if (!expected?.isAsked || asked === undefined) return;
    expected.isAsked = false;
    if (expected.home === node) return;
    const isFirst = ![...this.expected.values()].some(({ home }) => home === node);
    if (isFirst) this.knocks.set(node, []);
    expected.home = node;
  }

  /** The node says goodbye. */
  ended(node: string): void {
    const theirs = [...this.expected].filter(([, { home }]) => home === node);
    this.watch.connections.ended(node);
    const expected = theirs.map(([id]) => [id, true] as const);
    assertEquals(new Set(this.takeLost()), new Set(expected));
  }

  away(): void {
    this.#isAway = true;
    this.watch.away();
  }

  recovered(): void {
    if (this.#isAway) {
      this.openedAt = this.watch.clock.now();
      for (const knocks of this.knocks.values()) knocks.length = 0;
    }
    this.#isAway = false;
    this.watch.recovered();
    for (const [id, expected] of this.expected) {
      if (!expected.isAsked) this.knocks.set(id, []);
      expected.isAsked = true;
    }
  }

  /** Lets time pass, and judges all that is lost meanwhile, and all that is not. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 50) {
      await this.watch.pass(50);
      const before = new Map(this.expected);
      for (const [id, found] of this.takeLost()) {
        const expected = before.get(id) ?? fail(`${id} is not watched`);
        assertEquals(found, expected.home !== undefined);
        const isRight = this.isNobodys(id, expected) || this.taken(id) === 20;
        assertEquals(isRight, true, `${id} is lost without a reason`);
      }
      for (const [id, expected] of this.expected) {
        assertEquals(this.isNobodys(id, expected), false, `${id} is not lost`);
        assertEquals(expected.isAsked && this.taken(id) > 20, false);
      }
    }
  }

  takeLost(): (readonly [id: string, found: boolean])[] {
    const lost = this.watch.lost.splice(0);
    for (const [id] of lost) {
      for (const wait of this.expected.get(id)?.waits ?? []) this.watch.connections.end(wait);
      this.#forget(id);
    }
    return lost;
  }

  #forget(id: string): void {
    this.expected.delete(id);
    this.watch.knockIds.delete(id);
  }
}

const connection = fc.constantFrom(...CONNECTIONS);
const node = fc.constantFrom(...NODES);
const answer = fc.constantFrom<Answer>(0, 0, 1, undefined, "away");
type Step = (checked: Checked) => void | Promise<void>;

/** Anything that may happen. */
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    connection.map((id) => (checked) => checked.begin(id)),
    connection.map((id) => (checked) => checked.begin(id)),
    connection.map((id) => (checked) => checked.end(id)),
    fc.tuple(connection, node).map(([id, home]) => (checked) => checked.here(id, home)),
    node.map((name) => (checked) => checked.ended(name)),
    fc.tuple(fc.constantFrom(...CONNECTIONS, ...NODES), answer).map(([door, answer]) => (checked) =>
      void checked.answers.set(door, answer)
    ),
    fc.constant((checked) => checked.away()),
    fc.constant((checked) => checked.recovered()),
    fc.integer({ min: 1, max: 60 }).map((count) => (checked) => checked.pass(50 * count)),
    fc.integer({ min: 1, max: 60 }).map((count) => (checked) => checked.pass(50 * count)),
  ),
  { minLength: 10, maxLength: 60 },
);

Deno.test("WatchedConnections loses a connection if nobody has it, and no other, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const checked = new Checked();
      for (const step of steps) await step(checked);
      for (const id of CONNECTIONS) while (checked.expected.has(id)) checked.end(id);
      await checked.watch.assertIdle();
    }),
    { numRuns: 500 },
  );
});
