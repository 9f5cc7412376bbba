import { isShownAs, type TerminalLine } from "./markdown.ts";

/** The longest a line may take to show, and a program to end, in milliseconds. */
const TIMEOUT = 20_000;
/** How many lines of what a program said a failure shows. */
const SHOWN_LINES = 40;

/** One terminal of the reader: it runs one program at a time. */
export class Terminal implements AsyncDisposable {
  readonly #name: string;
  readonly #environment: Record<string, string> = { NO_COLOR: "1" };
  #child: Deno.ChildProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #lines: string[] = [];
  #seen = 0;
  #skipping = false;
  #output: Promise<void> = Promise.resolve();
  #changed = Promise.withResolvers<void>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Runs `command` in `folder`; one that is only a setting of the shell takes effect at once. */
  async run(command: string, folder: string): Promise<void> {
    await this.#ended();
    const [, name, value] = /^export (\w+)=(\S+)$/.exec(command) ?? [];
    if (name !== undefined && value !== undefined) {
      this.#environment[name] = value;
      return;
    }
    // Without a shell between, so that an interruption reaches the program itself.
    const line = command.includes("|") ? command : `exec ${command}`;
    const child = new Deno.Command("sh", {
      args: ["-c", `exec 2>&1; ${line}`],
      cwd: folder,
      env: this.#environment,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = [];
    this.#seen = 0;
    this.#skipping = false;
    this.#output = this.#read(child.stdout);
  }

  /** Types a line into the program. */
  async type(text: string): Promise<void> {
    await this.#input?.write(new TextEncoder().encode(`${text}\n`));
  }

  /** Sends a signal, as Ctrl-C does; the program ends. */
  async interrupt(signal: Deno.Signal = "SIGINT"): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended();
  }

  /**
   * Waits until the next line shows, and rejects if it is another one. A lone `…` stands for any
   * number of lines.
   */
  async see({ text, at }: TerminalLine): Promise<void> {
    if (text === "…") {
      this.#skipping = true;
      return;
    }
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, TIMEOUT);
    try {
      const deadline = performance.now() + TIMEOUT;
      while (!this.#find(text, at)) {
        if (performance.now() > deadline) throw this.#failure(text, at, "it did not show");
        await Promise.race([this.#changed.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the program, if one runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#ended();
  }

  #find(text: string, at: number): boolean {
    while (this.#seen < this.#lines.length) {
      const line = this.#lines[this.#seen] ?? "";
      if (!isShownAs(line, text) && !this.#skipping) {
        throw this.#failure(text, at, `instead came ${JSON.stringify(line)}`);
      }
      this.#seen++;
      if (!isShownAs(line, text)) continue;
      this.#skipping = false;
      return true;
    }
    return false;
  }

  /** Resolves when the program has ended, which it must do in time. */
  async #ended(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    await this.#input?.close().catch(() => {});
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, TIMEOUT);
    await child.status;
    clearTimeout(timer);
    await this.#output;
    if (late) throw new Error(`Cannot go on in ${this.#name}: its program does not end`);
  }

  async #read(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }

  #failure(text: string, at: number, why: string): Error {
    const said = this.#lines.slice(-SHOWN_LINES).join("\n  ");
    return new Error(
      `docs/tutorial.md:${at}: ${this.#name} should show ${JSON.stringify(text)}, but ${why}. ` +
        `Its last lines:\n  ${said}`,
    );
  }
}
