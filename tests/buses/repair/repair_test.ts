/**
 * Nothing is lost between living nodes, whatever happens to the bus; what nodes keep no longer is
 * reported to the message. `LOSS_RUNS=20` repeats each fault and prints the outcomes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { sized } from "../../kit/sizes.ts";
import { type Fault, FAULTS, type FaultSize, outcomeOf, OVERRUNS, SLEEPS } from "./faults.ts";
import type { Outcome } from "./trial.ts";

const SMALL: FaultSize = { nodes: 2, rate: 50 };
const SIZES = sized<readonly FaultSize[]>([SMALL], [
  ...[SMALL, { nodes: 2, rate: 500 }],
  ...[{ nodes: 3, rate: 50 }, { nodes: 3, rate: 500 }],
]);
const RUNS = Number(Deno.env.get("LOSS_RUNS") ?? 1);

/** What may never be. */
const NEVER = { twice: 0, disordered: 0 };

/** Everything has arrived, once and in order, and nobody says otherwise. */
function assertWhole({ lost, twice, disordered, rejected, gaps }: Outcome): void {
  assertEquals({ lost, twice, disordered, rejected }, { ...NEVER, lost: 0, rejected: 0 });
  assert(gaps.length > 0, "the bus was never away");
  assertEquals(gaps.filter(({ repaired }) => !repaired), []);
}

/** Every node says how many messages it lacks, and on which channel. */
function assertToldExactly({ lost, twice, disordered, gaps, nodes }: Outcome): void {
  assertEquals({ twice, disordered }, NEVER);
  assert(lost > 0, "nothing was lost");
  for (const { lost, reported } of nodes) assertEquals(reported, lost);
  for (const { repaired, channels } of gaps) {
    if (!repaired) assertEquals(channels, ["hub:group:room"]);
  }
}

/** Tries a fault in some sizes; a failure says in which. */
async function trial(
  fault: Fault,
  sizes: readonly FaultSize[],
  check: (outcome: Outcome) => void,
): Promise<void> {
  for (const size of sizes) {
    for (let run = 0; run < RUNS; run++) {
      const { reports, ...outcome } = await outcomeOf(fault, size);
      const { nodes, gaps, ...figures } = outcome;
      const what = `${fault.name}, ${size.nodes} nodes, ${size.rate}/s: ${JSON.stringify(figures)}`;
      // deno-lint-ignore no-console -- this is what LOSS_RUNS is set for
      if (Deno.env.has("LOSS_RUNS")) console.info(what, gaps.length, JSON.stringify(nodes));
      try {
        check({ ...outcome, reports });
      } catch (error) {
        throw new Error(`${what}: ${(error as Error).message}\n${Deno.inspect(reports)}`);
      }
    }
  }
}

function test(
  name: string,
  faults: readonly Fault[],
  sizes: readonly FaultSize[],
  check: (outcome: Outcome) => void,
): void {
  const chosen = sized(faults.filter(({ quick }) => quick), faults);
  if (chosen.length === 0) return;
  Deno.test(name, async () => {
    const failed: string[] = [];
    // In the gate nearly all of the time is spent waiting; in full size nodes need the machine.
    const trials = chosen.map((fault) => () =>
      trial(fault, sizes, check).catch((error) => void failed.push(error.message))
    );
    if (sizes.length === 1) await Promise.all(trials.map((run) => run()));
    else for (const run of trials) await run();
    if (failed.length > 0) throw new Error(failed.join("\n\n"));
  });
}

test("no message is lost between nodes when their bus fails", FAULTS, SIZES, assertWhole);
test("nodes report what they keep no longer", OVERRUNS, [SMALL], assertToldExactly);
test("a node that slept gets everything", SLEEPS, [SMALL], assertWhole);
