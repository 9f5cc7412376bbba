import { deadline } from "@std/async";
import { bounded } from "./wait.ts";

/** The longest that a process may take to say what is waited for, in milliseconds; it may have to start. */
const PATIENCE = 30_000;

/** A child process of a test; killed when disposed. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #said: Promise<unknown>;
  #text = "";
  /** Whether it has ended, and all that it said is in the text. */
  #silent = false;
  #more = Promise.withResolvers<void>();

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#said = Promise.all([this.#listen(process.stdout), this.#listen(process.stderr)])
      .finally(() => this.#silent = true);
  }

  /** Starts Deno; what it says is waited for with {@link until}. */
  static start(...args: string[]): Child {
    return Child.#spawn(Deno.execPath(), args);
  }

  /** Starts Deno in a process that may have so many file descriptors. */
  static startLimited(descriptors: number, ...args: string[]): Child {
    const limited = `ulimit -n ${descriptors} && exec "$0" "$@"`;
    return Child.#spawn("sh", ["-c", limited, Deno.execPath(), ...args]);
  }

  static #spawn(program: string, args: string[]): Child {
    const command = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return new Child(command.spawn());
  }

  /** All that it has said. */
  get text(): string {
    return this.#text;
  }

  /**
   * Resolves with what `pattern` matches in its output. Rejects when the process ends without it, and
   * after `patience` in all, however much else it says meanwhile.
   */
  async until(pattern: RegExp, patience: number = PATIENCE): Promise<RegExpExecArray> {
    const last = performance.now() + patience;
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      const left = last - performance.now();
      if (left <= 0 || this.#silent) throw new Error(`Cannot find ${pattern} in: ${this.#text}`);
      await deadline(Promise.race([this.#more.promise, this.#said]), left).catch(() => {});
    }
  }

  /** Sends the process a signal that does not end it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  /** Ends the process and waits until it has gone. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
    const status = await bounded(this.#process.status);
    await bounded(this.#said);
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }
}
