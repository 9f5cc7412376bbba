/**
 * Handovers between simulated nodes that drain and die, over a bus that loses, doubles and reorders messages,
 * with a client whose socket is cut at any time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Dice } from "../bus/farm/dice.ts";
import { type Outcome, type Scenario, World } from "./farm/world.ts";

/** How many scenarios are played. */
const RUNS = Deno.env.get("HUBPLANE_FULL") === "1" ? 20_000 : 1000;

function scenario(seed: number): Scenario {
  const dice = new Dice(seed * 40_503 + 7);
  const nodes = 2 + dice.below(3);
  const numbers = (count: number, end: number) =>
    Array.from({ length: count }, () => dice.below(end));
  const drains = [1000 + dice.below(200)];
  if (nodes > 2 && dice.below(5) < 2) drains.push(1000 + dice.below(1500));
  return {
    seed,
    nodes,
    drains,
    cuts: numbers(dice.below(4), 4000).map((time) => 900 + time),
    lost: numbers(dice.below(3), 12),
    doubled: numbers(dice.below(3), 12),
    cutWith: numbers(dice.below(3), 12),
    death: dice.below(5) < 2 ? [dice.below(10), dice.below(nodes)] : undefined,
    busy: dice.below(3),
  };
}

function play(seed: number, traced = false): Outcome {
  return new World(scenario(seed), traced).run();
}

Deno.test("a connection is handed over once, whatever is lost, doubled, late or dead", () => {
  let moves = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const { faults, refusedAlive, lost, ...outcome } = play(seed);
    moves += outcome.moves;
    if (faults.length > 0 || refusedAlive) {
      const { trace } = play(seed, true);
      const what = [...faults, ...refusedAlive ? ["refused although no node died"] : []];
      throw new Error(`seed ${seed}: ${what}; ${lost} lost\n${trace.slice(0, 80).join("\n")}`);
    }
  }
  assert(moves > RUNS, `only ${moves} moves`);
});

Deno.test("a run is the same each time", () => {
  assertEquals(play(3, true), play(3, true));
});
