/**
 * Measures Hubplane beside others, in turns within one run: `deno task bench --help`.
 *
 * @module
 */
import { endChildren } from "./children.ts";
import type { Contestant } from "./contestants/contestant.ts";
import { type Figures, figuresOf, medianOf, type Outcome, type Results } from "./figures.ts";
import { type Options, readVariations, USAGE, type Variation } from "./options.ts";
import { Progress } from "./progress.ts";
import { tableOf } from "./report.ts";
import type { Scenario } from "./scenarios.ts";
import { describeSystem } from "./system.ts";
import { connectionsOf, takeTurn } from "./turn.ts";

const encoder = new TextEncoder();

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

function fail(error: unknown): never {
  Deno.stderr.writeSync(encoder.encode(`${error instanceof Error ? error.message : error}\n`));
  Deno.exit(1);
}

/** Who takes turns: every contestant in every variation. */
interface Entrant {
  readonly name: string;
  readonly contestant: Contestant;
  readonly options: Options;
}

function entrantsOf(variations: readonly Variation[]): Entrant[] {
  return variations.flatMap(({ label, options }) =>
    options.contestants.map((contestant) => ({
      name: label === "" ? contestant.name : `${contestant.name}, ${label}`,
      contestant,
      options,
    }))
  );
}

/** Every entrant takes its turn, then all again; who begins changes. */
async function compete(
  scenario: Scenario,
  entrants: readonly Entrant[],
  progress: Progress,
): Promise<Omit<Outcome, "connections">> {
  const turns = new Map(entrants.map((entrant) => [entrant, [] as Figures[]]));
  let seconds = 0;
  const rounds = entrants[0]?.options.repeat ?? 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entrants.length; i++) {
      const entrant = entrants[(round + i) % entrants.length];
      if (entrant === undefined) continue;
      const phase = progress.turn(scenario.name, entrant.name, `${round + 1}/${rounds}`);
      const measured = await takeTurn({ ...entrant, scenario, phase });
      turns.get(entrant)?.push(figuresOf(measured, scenario));
      seconds = Math.round(measured.seconds * 10) / 10;
    }
  }
  return {
    scenario: scenario.name,
    title: scenario.title,
    unit: scenario.unit,
    seconds,
    standings: Array.from(turns, ([{ name }, figures]) => ({
      contestant: name,
      median: medianOf(figures),
      turns: figures,
    })),
  };
}

async function run(variations: readonly Variation[]): Promise<void> {
  const options = variations[0]?.options;
  if (options === undefined) return;
  const { scenarios, bus, protocol, nodes, repeat, payloadBytes, pin } = options;
  const entrants = entrantsOf(variations);
  const progress = new Progress(scenarios.length * entrants.length * repeat);
  for (const contestant of new Set(entrants.map(({ contestant }) => contestant))) {
    if (contestant.prepare === undefined) continue;
    progress.say(`${contestant.name}: looking for what it needs`);
    await contestant.prepare();
  }
  const setting: Omit<Results, "outcomes"> = {
    date: new Date().toISOString(),
    system: await describeSystem(),
    ...{ bus, protocol, nodes, repeat, payloadBytes, pinned: pin },
    ...options.vary !== undefined && { varied: options.vary.split("=")[0] },
  };
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    const connections = connectionsOf(scenario, options);
    const outcome = { ...await compete(scenario, entrants, progress), connections };
    outcomes.push(outcome);
    progress.clear();
    if (!options.json) print(tableOf(outcome, setting));
  }
  if (options.json) print(JSON.stringify({ ...setting, outcomes } satisfies Results, null, 2));
}

if (Deno.build.os !== "linux") fail("Cannot measure: CPU times are read from Linux's /proc");
let variations: readonly Variation[] | "help";
try {
  variations = readVariations([...Deno.args]);
} catch (error) {
  fail(error);
}
if (variations === "help") {
  print(USAGE);
  Deno.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => void endChildren().finally(() => Deno.exit(130)));
}
await run(variations).catch(async (error) => {
  await endChildren();
  fail(error);
});
Deno.exit(0);
