import type { Outcome } from "./world.ts";

/** Makes each outcome a step of the test. */
export async function report(t: Deno.TestContext, outcomes: readonly Outcome[]): Promise<void> {
  for (const { name, error } of outcomes) {
    await t.step(name, () => {
      if (error !== undefined) throw new Error(error);
    });
  }
}
