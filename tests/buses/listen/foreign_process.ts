/**
 * The chat of the README as a program for other runtimes, and processes of these.
 *
 * @module
 */
import { createRequire } from "node:module";
import { bounded } from "../../kit/wait.ts";
import { ROOT } from "../../kit/graph.ts";
import { TextLineStream } from "../../kit/servers/text_lines.ts";

const NATIVE_LINE = "const http = Deno.serve({ port: 8000 }, server.fetch);";
const LISTEN_LINES = `const listener = await listen(server, { hostname: "127.0.0.1", port: 0 });
console.log(listener.url);
`;

/** The first program of the README, with the server that its next paragraph names, on any bus. */
export async function readmeChat(): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, program] = /\*\*`server.ts`\*\*\n\n```ts ignore\n([^]+?)```/.exec(readme) ?? [];
  if (!program?.includes(NATIVE_LINE) || !program.includes('openBackplane("memory:")')) {
    throw new Error("Cannot read the chat of the README: it has changed");
  }
  // Behind the line is what Deno does at SIGTERM.
  const [start = ""] = program.split(NATIVE_LINE);
  return `import { listen } from "@hubplane/hubplane/listen";\n${start}${LISTEN_LINES}`
    .replace('openBackplane("memory:")', 'openBackplane(process.argv[2] ?? "memory:")');
}

/** Bundles a program into one file that needs no package but `external`; the caller removes it. */
export async function bundle(program: string, external: readonly string[]): Promise<string> {
  // Inside the workspace, where its own names resolve.
  const source = new URL(`tests/buses/listen/${crypto.randomUUID()}.ts`, ROOT);
  const target = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    await Deno.writeTextFile(source, program);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--no-check", "--platform=deno", "--output", target],
        ...external.map((name) => `--external=${name}`),
        source.pathname,
      ],
      cwd: new URL(ROOT),
    }).output();
    if (success) return target;
    throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  } finally {
    await Deno.remove(source);
  }
}

/** Where the package `bun` keeps its program for this machine. */
export function bunProgram(): string {
  const architecture = Deno.build.arch === "x86_64" ? "x64" : "aarch64";
  return createRequire(import.meta.resolve("bun/package.json"))
    .resolve(`@oven/bun-${Deno.build.os}-${architecture}/bin/bun`);
}

/** A program that prints its URL first. */
export class ForeignProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts it, and waits for its URL. */
  static async start(command: string, args: readonly string[]): Promise<ForeignProcess> {
    const options: Deno.CommandOptions = { args: [...args], stdin: "null", stdout: "piped" };
    const child = new Deno.Command(command, options).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value = "" } = await bounded(lines.read());
    await lines.cancel();
    if (URL.canParse(value)) return new ForeignProcess(child, value);
    await child.status;
    throw new Error(`Cannot start ${command}: it says ${JSON.stringify(value)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}
