/**
 * A Node that is new enough for the tests that start Node.
 *
 * @module
 */

/** The oldest release of Node that Hubplane supports. */
const OLDEST = 22;

/** The `PATH` that starts with a supported Node: `path`, if its Node is one. */
export async function pathWithNode(path: string): Promise<string> {
  const version = await outputOf("node", ["--version"], path);
  if (Number(/^v(\d+)/.exec(version ?? "")?.[1]) >= OLDEST) return path;
  const place = ["--yes", `--package=node@${OLDEST}`, "--call", "command -v node"];
  const program = await outputOf("npx", place, path);
  if (program === undefined || !program.endsWith("/node")) {
    throw new Error(`Cannot find Node ${OLDEST}: the PATH has ${version}, and npx cannot fetch it`);
  }
  return `${program.slice(0, -"/node".length)}:${path}`;
}

/** The last line that a program prints, or `undefined` if it fails. */
async function outputOf(
  command: string,
  args: readonly string[],
  path: string,
): Promise<string | undefined> {
  // A shell looks for the program in the PATH that is given here, and not in that of this process.
  const { success, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$@"', "sh", command, ...args],
    env: { PATH: path },
    stdin: "null",
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim().split("\n").at(-1) : undefined;
}
