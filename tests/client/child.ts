import { bounded } from "./until.ts";

/** A child process of a test; killed when disposed. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #said: Promise<unknown>;
  #text = "";
  #more = Promise.withResolvers<void>();

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#said = Promise.all([this.#listen(process.stdout), this.#listen(process.stderr)]);
  }

  /** Starts Deno; what it says is waited for with {@link until}. */
  static start(...args: string[]): Child {
    const command = new Deno.Command(Deno.execPath(), {
      args,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return new Child(command.spawn());
  }

  /** Resolves with what `pattern` matches in its output. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      const more = this.#more.promise;
      const ended = this.#said.then(() => {
        throw new Error(`Cannot find ${pattern} in: ${this.#text}`);
      });
      await bounded(Promise.race([more, ended]));
    }
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
