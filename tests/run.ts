/**
 * Runs every test: `deno task test`, or `deno task test tests/buses/redis --filter password` for some.
 *
 * Installs what the tests start and this machine lacks, runs `deno test` with the examples in the docs,
 * and ends with a line such as `123 passed, 0 failed`. It fails if a test failed or was skipped, or
 * if none ran.
 *
 * @module
 */
import { testArguments } from "./runner/arguments.ts";
import { closingLine, complaint, countTests, type TestCounts } from "./runner/report.ts";
import {
  canInstall,
  installCommand,
  installPrograms,
  missingPrograms,
  PROGRAMS,
  searchPath,
} from "./runner/programs.ts";

const path = searchPath(Deno.env.get("PATH") ?? "");

/** Tests start servers by their names alone, and all use the same PATH. */
async function preparePrograms(): Promise<void> {
  const missing = missingPrograms(PROGRAMS, path);
  if (missing.length === 0) return;
  const names = missing.map(({ commands }) => commands.join(" or ")).join(", ");
  if (canInstall(path)) {
    print(`Tests need ${names}: installing`);
    if (await installPrograms(missing, path)) return;
  }
  print(`Cannot install ${names} here. Install them and run this again; on Debian, as root:`);
  print(`  ${installCommand(missing)}`);
  Deno.exit(1);
}

async function runTests(args: readonly string[]): Promise<TestCounts> {
  const report = await Deno.makeTempFile({ prefix: "hubplane-tests-", suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: testArguments(report, args),
      env: { PATH: path },
      // The user sees what happens while it happens.
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    return countTests(await Deno.readTextFile(report).catch(() => undefined), code);
  } finally {
    await Deno.remove(report);
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

await preparePrograms();
const counts = await runTests(Deno.args);
const wrong = complaint(counts);
if (wrong !== undefined) print(`Tests are not good: ${wrong}`);
print(closingLine(counts));
Deno.exit(wrong === undefined ? 0 : 1);
