/**
 * Prints the tables of what `deno task bench --json` has measured:
 * `deno run --allow-read bench/tables.ts RESULTS.json [scenario…]`.
 *
 * @module
 */
import type { Results } from "./figures.ts";
import { tableOf } from "./report.ts";

const [file, ...scenarios] = Deno.args;
if (file === undefined) {
  throw new TypeError("Cannot print tables: tables.ts RESULTS.json [scenario…]");
}
const results: Results = JSON.parse(await Deno.readTextFile(file));
for (const outcome of results.outcomes) {
  if (scenarios.length > 0 && !scenarios.includes(outcome.scenario)) continue;
  await Deno.stdout.write(new TextEncoder().encode(`${tableOf(outcome, results)}\n`));
}
