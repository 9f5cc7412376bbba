/**
 * What a run of `deno test` amounts to, from its JUnit report and its exit code.
 *
 * @module
 */

/** The counts of a run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const TEST_CASE = /<testcase\b[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/**
 * Counts the tests and steps of a run. A run that ended badly has at least one failure, whatever its
 * report says: an error outside a test is not in it, and a run that broke off has none.
 */
export function countTests(junit: string | undefined, exitCode: number): TestCounts {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const [, body = ""] of (junit ?? "").matchAll(TEST_CASE)) {
    if (/<(?:failure|error)\b/.test(body)) failed++;
    else if (/<skipped\b/.test(body)) skipped++;
    else passed++;
  }
  if (exitCode !== 0) failed = Math.max(failed, 1);
  return { passed, failed, skipped };
}

/** Why a run counts as failed, or `undefined` if it is good. */
export function complaint({ passed, failed, skipped }: TestCounts): string | undefined {
  if (failed > 0) return `${failed} failed`;
  if (skipped > 0) return `${skipped} skipped: every test has to run`;
  if (passed === 0) return "no test ran";
  return undefined;
}

/** The last line of a run, alone on its line. */
export function closingLine({ passed, failed }: TestCounts): string {
  return `${passed} passed, ${failed} failed`;
}
