/**
 * The processes that the benchmark starts. All of them end with it.
 *
 * @module
 */
import { TextLineStream } from "./text_lines.ts";

/** The longest time until a process prints that it is ready, in milliseconds. */
const START_TIMEOUT = 30_000;

/** The longest time for a process to end after SIGTERM, in milliseconds. */
const END_TIMEOUT = 3000;

const running = new Set<Child>();

/** A command and its setting. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The cores that the process may use, such as `0` or `0,1`. */
  readonly cores?: string | undefined;
}

/** A process of the benchmark; it ends when it is disposed. */
export class Child implements AsyncDisposable {
  /** The lines of its standard output. */
  readonly lines: ReadableStreamDefaultReader<string>;
  readonly #process: Deno.ChildProcess;
  readonly #complaints: Promise<string>;
  readonly #name: string;

  constructor({ command, args, cwd, cores }: ChildOptions) {
    this.#name = command;
    const pinned = cores === undefined ? [] : ["taskset", "-c", cores];
    // The shell raises the limit of open files, then becomes the command.
    this.#process = new Deno.Command("sh", {
      args: ["-c", 'ulimit -n $(ulimit -Hn); exec "$@"', "sh", ...pinned, command, ...args],
      ...cwd === undefined ? {} : { cwd },
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    running.add(this);
    this.#process.status.then(() => running.delete(this));
    this.#complaints = new Response(this.#process.stderr).text();
    this.lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** The process id: that of the command. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * The next line of its standard output.
   *
   * @throws {Error} with its last errors if the process ends, or is silent for `timeout` milliseconds.
   */
  async nextLine(timeout: number = START_TIMEOUT): Promise<string> {
    const timer = setTimeout(() => this.#kill("SIGKILL"), timeout);
    try {
      const { value } = await this.lines.read();
      if (value !== undefined) return value;
    } finally {
      clearTimeout(timer);
    }
    await this.#process.status;
    const complaints = (await this.#complaints).trim().split("\n").slice(-12).join("\n");
    throw new Error(`Cannot go on: ${this.#name} has ended or says nothing\n${complaints}`);
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), END_TIMEOUT);
    await this.lines.cancel();
    await Promise.all([this.#process.status, this.#complaints]);
    clearTimeout(timer);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // The process has ended.
    }
  }
}

/** Ends every process that still runs. */
export async function endChildren(): Promise<void> {
  await Promise.all(Array.from(running, (child) => child[Symbol.asyncDispose]()));
}
