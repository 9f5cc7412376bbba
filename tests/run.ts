/**
 * Runs one of the suites in `runner/arguments.ts`, `deno task test` for example, or some of its tests:
 * `deno task test tests/buses/redis --filter password`.
 *
 * Installs the programs that the tests start and this machine lacks, runs `deno test`, and ends with a
 * line such as `123 passed, 0 failed`. It fails if a test failed or was skipped, or if none ran.
 *
 * @module
 */
import { pathsOf, type Suite, SUITES, testArguments } from "./runner/arguments.ts";
import { writeBundles } from "./runner/bundles.ts";
import { pathWithNode } from "./runner/node.ts";
import { closingLine, complaint, countTests, type TestCounts } from "./runner/report.ts";
import {
  canInstall,
  installCommand,
  installPrograms,
  missingPrograms,
  programsFor,
  searchPath,
} from "./runner/programs.ts";

const [name = "", ...args] = Deno.args;
const suite = suiteCalled(name);
const programs = programsFor(pathsOf(suite, args));

function suiteCalled(name: string): Suite {
  const suite = SUITES[name];
  if (suite !== undefined) return suite;
  print(`Cannot run ${name}: the suites are ${Object.keys(SUITES).join(", ")}`);
  Deno.exit(1);
}

/** Resolves with the `PATH` for tests, which start servers by their names alone. */
async function preparePrograms(): Promise<string> {
  const path = searchPath(Deno.env.get("PATH") ?? "");
  if (programs.length === 0) return path;
  const missing = missingPrograms(programs, path);
  if (missing.length === 0) return await pathWithNode(path);
  const names = missing.map(({ commands }) => commands.join(" or ")).join(", ");
  if (canInstall(path)) {
    print(`Tests need ${names}: installing`);
    if (await installPrograms(missing, path)) return await pathWithNode(path);
  }
  print(`Cannot install ${names} here. Install them and run this again; on Debian, as root:`);
  print(`  ${installCommand(missing)}`);
  Deno.exit(1);
}

/** How many files run side by side: tests of servers wait half of the time, those of the farm less. */
const JOBS = Math.ceil(navigator.hardwareConcurrency * (name === "farm" ? 1.5 : 2));

async function runTests(path: string): Promise<TestCounts> {
  const folder = await Deno.makeTempDir({ prefix: "hubplane-tests-" });
  try {
    const report = `${folder}/report.xml`;
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [...testArguments(await withBundles(suite, folder), args), `--junit-path=${report}`],
      env: { PATH: path, DENO_JOBS: `${JOBS}` },
      // The user sees what happens while it happens.
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    const counts = countTests(await Deno.readTextFile(report).catch(() => undefined), code);
    // A report says "skipped" of tests that the user's filter leaves out too.
    const filtered = args.some((arg) => arg.startsWith("--filter"));
    return filtered ? { ...counts, skipped: 0 } : counts;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withBundles(suite: Suite, folder: string): Promise<Suite> {
  const bundled = await writeBundles(folder, suite.bundled, navigator.hardwareConcurrency);
  return { ...suite, bundled };
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const counts = await runTests(await preparePrograms());
const wrong = complaint(counts);
if (wrong !== undefined) print(`Tests are not good: ${wrong}`);
print(closingLine(counts));
Deno.exit(wrong === undefined ? 0 : 1);
