/**
 * Measures Hubplane beside others, in interleaved runs: `deno task bench --help`.
 *
 * @module
 */
import { runCanary } from "./canary.ts";
import { endChildren } from "./children.ts";
import type { Subject } from "./subjects/subject.ts";
import { type Figures, figuresOf, medianOf, type Outcome, type Results } from "./figures.ts";
import { type Options, readVariations, USAGE, type Variation } from "./options.ts";
import { Progress } from "./progress.ts";
import { tableOf } from "./report.ts";
import type { Scenario } from "./scenarios.ts";
import { describeSystem } from "./system.ts";
import { connectionsOf, runOnce } from "./run.ts";

const encoder = new TextEncoder();

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

function fail(error: unknown): never {
  Deno.stderr.writeSync(encoder.encode(`${error instanceof Error ? error.message : error}\n`));
  Deno.exit(1);
}

/** A subject with one set of options. */
interface Variant {
  readonly name: string;
  readonly subject: Subject;
  readonly options: Options;
}

function variantsOf(variations: readonly Variation[]): Variant[] {
  return variations.flatMap(({ label, options }) =>
    options.subjects.map((subject) => ({
      name: label === "" ? subject.name : `${subject.name}, ${label}`,
      subject,
      options,
    }))
  );
}

/** Runs every variant once, then all again, `repeat` times; each round starts with another variant. */
async function measure(
  scenario: Scenario,
  variants: readonly Variant[],
  progress: Progress,
): Promise<Omit<Outcome, "connections">> {
  const runs = new Map(variants.map((variant) => [variant, [] as Figures[]]));
  let seconds = 0;
  const rounds = variants[0]?.options.repeat ?? 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < variants.length; i++) {
      const variant = variants[(round + i) % variants.length];
      if (variant === undefined) continue;
      const phase = progress.run(scenario.name, variant.name, `${round + 1}/${rounds}`);
      const measured = await runOnce({ ...variant, scenario, phase });
      runs.get(variant)?.push(figuresOf(measured, scenario));
      seconds = Math.round(measured.seconds * 10) / 10;
    }
  }
  return {
    scenario: scenario.name,
    title: scenario.title,
    unit: scenario.unit,
    seconds,
    subjects: Array.from(runs, ([{ name }, figures]) => ({
      subject: name,
      median: medianOf(figures),
      runs: figures,
    })),
  };
}

async function measureAll(variations: readonly Variation[]): Promise<void> {
  const options = variations[0]?.options;
  if (options === undefined) return;
  const { scenarios, bus, protocol, nodes, repeat, payloadBytes, pin } = options;
  const variants = variantsOf(variations);
  const progress = new Progress(scenarios.length * variants.length * repeat);
  for (const subject of new Set(variants.map(({ subject }) => subject))) {
    if (subject.prepare === undefined) continue;
    progress.say(`${subject.name}: checking its packages`);
    await subject.prepare();
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
    const outcome = { ...await measure(scenario, variants, progress), connections };
    outcomes.push(outcome);
    progress.clear();
    if (!options.json) print(tableOf(outcome, setting));
  }
  if (options.json) print(JSON.stringify({ ...setting, outcomes } satisfies Results, null, 2));
}

if (Deno.build.os !== "linux") fail("Cannot measure: CPU times are read from Linux's /proc");
if (Deno.args[0] === "canary") {
  await runCanary(Deno.args.slice(1)).catch(fail);
  Deno.exit(0);
}
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
await measureAll(variations).catch(async (error) => {
  await endChildren();
  fail(error);
});
Deno.exit(0);
