/**
 * Measures Hubplane beside others, in turns within one run: `deno task bench --help`.
 *
 * @module
 */
import { endChildren } from "./children.ts";
import { type Figures, figuresOf, medianOf, type Outcome, type Results } from "./figures.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
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

/** Every contestant takes its turn, then all again; who begins changes. */
async function compete(scenario: Scenario, options: Options, progress: Progress): Promise<Outcome> {
  const { contestants, repeat } = options;
  const turns = new Map(contestants.map((contestant) => [contestant, [] as Figures[]]));
  let seconds = 0;
  for (let round = 0; round < repeat; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(round + i) % contestants.length];
      if (contestant === undefined) continue;
      const phase = progress.turn(scenario.name, contestant.name, `${round + 1}/${repeat}`);
      const measured = await takeTurn({ contestant, scenario, options, phase });
      turns.get(contestant)?.push(figuresOf(measured, scenario));
      seconds = Math.round(measured.seconds * 10) / 10;
    }
  }
  return {
    scenario: scenario.name,
    title: scenario.title,
    unit: scenario.unit,
    connections: connectionsOf(scenario, options),
    seconds,
    standings: Array.from(turns, ([{ name }, figures]) => ({
      contestant: name,
      median: medianOf(figures),
      turns: figures,
    })),
  };
}

async function run(options: Options): Promise<void> {
  const { contestants, scenarios, bus, protocol, nodes, repeat, payloadBytes, pin } = options;
  const progress = new Progress(scenarios.length * contestants.length * repeat);
  for (const contestant of contestants) {
    if (contestant.prepare === undefined) continue;
    progress.say(`${contestant.name}: looking for what it needs`);
    await contestant.prepare();
  }
  const setting: Omit<Results, "outcomes"> = {
    date: new Date().toISOString(),
    system: await describeSystem(),
    ...{ bus, protocol, nodes, repeat, payloadBytes, pinned: pin },
  };
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    const outcome = await compete(scenario, options, progress);
    outcomes.push(outcome);
    progress.clear();
    if (!options.json) print(tableOf(outcome, setting));
  }
  if (options.json) print(JSON.stringify({ ...setting, outcomes } satisfies Results, null, 2));
}

if (Deno.build.os !== "linux") fail("Cannot measure: CPU times are read from Linux's /proc");
let options: Options | "help";
try {
  options = readOptions([...Deno.args]);
} catch (error) {
  fail(error);
}
if (options === "help") {
  print(USAGE);
  Deno.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => void endChildren().finally(() => Deno.exit(130)));
}
await run(options).catch(async (error) => {
  await endChildren();
  fail(error);
});
Deno.exit(0);
