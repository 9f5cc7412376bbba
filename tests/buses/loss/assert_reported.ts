import { assertEquals } from "@std/assert";
import { type LossPlan, type LossResult, runLoss } from "./run_loss.ts";

/**
 * Runs a plan once, or `LOSS_RUNS` times, and then prints the sums: fails unless every message
 * arrived once and in order or its loss was reported.
 */
export async function assertReported(
  name: string,
  run: (once: (plan: LossPlan) => Promise<LossResult>) => Promise<LossResult>,
): Promise<LossResult> {
  const runs = Number(Deno.env.get("LOSS_RUNS") ?? 1);
  const sums: Record<string, number> = {};
  let last: LossResult | undefined;
  for (let turn = 0; turn < runs || last === undefined; turn++) {
    last = await run(runLoss);
    for (const [key, value] of Object.entries({ ...last, gaps: last.gaps.length })) {
      sums[key] = (sums[key] ?? 0) + value;
    }
    const { silentlyLost, duplicates, outOfOrder } = last;
    assertEquals({ silentlyLost, duplicates, outOfOrder }, {
      silentlyLost: 0,
      duplicates: 0,
      outOfOrder: 0,
    });
  }
  // deno-lint-ignore no-console -- this is what LOSS_RUNS is set for
  if (Deno.env.has("LOSS_RUNS")) console.info(`${name}, ${runs} runs:`, JSON.stringify(sums));
  return last;
}
