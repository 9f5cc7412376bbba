/**
 * The programs that tests start: their names, their packages in Debian, and how to install them.
 *
 * @module
 */

/** A program that tests need. */
export interface Program {
  /** Its names; one of them is enough. */
  readonly commands: readonly string[];
  /** The package of Debian that has it. */
  readonly package: string;
}

/** The programs of `tests/nodes` and `tests/buses`, beside Deno. */
const SERVERS: readonly Program[] = [
  { commands: ["npx"], package: "npm" },
  { commands: ["redis-server"], package: "redis-server" },
  { commands: ["redis-cli"], package: "redis-tools" },
  { commands: ["nats-server"], package: "nats-server" },
  { commands: ["openssl"], package: "openssl" },
];

/**
 * The names of Chromium, best first: its shell without windows starts and opens pages with half the
 * CPU.
 */
export const BROWSERS: readonly string[] = [
  "chromium-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome",
];

/** Every program that tests need beside Deno. */
const ALL: readonly Program[] = [
  ...SERVERS,
  { commands: BROWSERS, package: "chromium-headless-shell" },
  { commands: ["haproxy"], package: "haproxy" },
  { commands: ["nginx"], package: "nginx-light" },
];

/** The programs that the tests in `paths` need. */
export function programsFor(paths: readonly string[]): readonly Program[] {
  const isIn = (folders: string) => (path: string) => path.split("/tests/").at(-1)?.match(folders);
  if (paths.every(isIn("^(tests/)?unit\\b"))) return [];
  return paths.every(isIn("^(tests/)?(unit|nodes|buses)\\b")) ? SERVERS : ALL;
}

/** Debian keeps servers where only root's PATH looks. */
const FURTHER_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The PATH that tests get: `path` and the folders where servers are. */
export function searchPath(path: string): string {
  const folders = path.split(":").filter((folder) => folder !== "");
  return [...new Set([...folders, ...FURTHER_FOLDERS])].join(":");
}

/** Those of `programs` that are nowhere on `path`. */
export function missingPrograms(programs: readonly Program[], path: string): Program[] {
  return programs.filter(({ commands }) => !commands.some((command) => isOnPath(command, path)));
}

function isOnPath(command: string, path: string): boolean {
  return path.split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${command}`).isFile;
    } catch {
      return false;
    }
  });
}

/** What a person has to type to get `programs`. */
export function installCommand(programs: readonly Program[]): string {
  const packages = programs.map((program) => program.package).join(" ");
  return `apt-get update && apt-get install --yes --no-install-recommends ${packages}`;
}

/** Whether {@link installPrograms} can work here: as root, where there is apt. */
export function canInstall(path: string): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0 && isOnPath("apt-get", path);
}

/** Installs `programs` with apt; resolves with whether they are there now. */
export async function installPrograms(
  programs: readonly Program[],
  path: string,
): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", installCommand(programs)],
    env: { DEBIAN_FRONTEND: "noninteractive", PATH: path },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return success && missingPrograms(programs, path).length === 0;
}
