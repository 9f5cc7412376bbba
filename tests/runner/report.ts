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

const TEST_CASE = /<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** What stands in a report between the name of a test and that of its step. */
const STEP = " &gt; ";

/**
 * Counts the tests of a run, and not their steps: a test with a step that fails fails too. A skipped
 * step counts as skipped. A run that ended badly has at least one failure, whatever its report says:
 * an error outside a test is not in it, and a run that broke off has none.
 */
export function countTests(junit: string | undefined, exitCode: number): TestCounts {
  let [passed, failed, skipped] = [0, 0, 0];
  const cases = [...(junit ?? "").matchAll(TEST_CASE)];
  const names = new Set(cases.map(([, name = ""]) => name));
  for (const [, name = "", body = ""] of cases) {
    if (/<skipped\b/.test(body)) skipped++;
    else if (isStep(name, names)) continue;
    else if (/<(?:failure|error)\b/.test(body)) failed++;
    else passed++;
  }
  if (exitCode !== 0) failed = Math.max(failed, 1);
  return { passed, failed, skipped };
}

/** Whether a name begins with that of a test: the name of a test may look like that of a step. */
function isStep(name: string, names: ReadonlySet<string>): boolean {
  const parts = name.split(STEP);
  return parts.some((_, index) => index > 0 && names.has(parts.slice(0, index).join(STEP)));
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
