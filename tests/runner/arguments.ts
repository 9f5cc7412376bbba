/** What `deno` is told so that it runs tests. */

/**
 * The arguments that run the tests and examples of `paths`, or all, and write a JUnit report to
 * `report`. Files run side by side, one a core: most of their time they wait. A test fails if a timer, a socket, a process or a file outlives it: Deno looks for such
 * leaks only when it is told to.
 */
export function testArguments(report: string, paths: readonly string[]): string[] {
  return [
    ...["test", "--allow-all", "--doc", "--parallel"],
    ...["--sanitize-ops", "--sanitize-resources"],
    `--junit-path=${report}`,
    ...paths,
  ];
}
