/**
 * The arguments of `deno test`, for each suite.
 *
 * @module
 */

/** A set of tests that runs at once. */
export interface Suite {
  /** Files and folders, from the project's root. */
  readonly paths: readonly string[];
  /** Arguments of `deno test` that the suite alone needs. */
  readonly args: readonly string[];
  /** Folders whose files share a worker for each core: tests in memory need none of their own. */
  readonly bundled: readonly string[];
}

/** Files run side by side, more than there are cores: tests wait half of the time. */
const PARALLEL = "--parallel";

/** Everything outside of `tests` that may have examples in its documentation. */
const DOCUMENTED = ["mod.ts", "backplanes", "hub", "examples", "bench", "docs", "README.md"];

/** `deno task check` checks the types of all tests, and of the examples in docs. */
const UNCHECKED = "--no-check";

/** Every suite by its name. */
export const SUITES: Readonly<Record<string, Suite>> = {
  unit: { bundled: ["tests/unit"], paths: [], args: [PARALLEL, UNCHECKED] },
  test: {
    bundled: ["tests/unit"],
    paths: ["tests/nodes", "tests/buses"],
    args: [PARALLEL, UNCHECKED],
  },
  farm: { bundled: [], paths: ["tests/farm", ...DOCUMENTED], args: [PARALLEL, UNCHECKED] },
  /** One file after another: its files set environment variables, and print figures. */
  long: { bundled: [], paths: ["tests/long"], args: [] },
};

/** The paths among `args`, or those of the suite if there is none. */
export function pathsOf(suite: Suite, args: readonly string[]): readonly string[] {
  const paths = args.filter((arg) => !arg.startsWith("-") && exists(arg));
  return paths.length > 0 ? paths : [...suite.bundled, ...suite.paths];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The arguments that run the tests and examples of a suite, or of the paths among `args`. A test
 * fails if a timer, a socket, a process or a file outlives the test:
 * Deno looks for such leaks only when it is told to.
 */
export function testArguments(suite: Suite, args: readonly string[]): string[] {
  const paths = pathsOf(suite, args);
  return [
    ...["test", "--allow-all", "--doc", "--sanitize-ops", "--sanitize-resources"],
    ...suite.args,
    ...args.filter((arg) => !paths.includes(arg)),
    ...paths,
  ];
}
