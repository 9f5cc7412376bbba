import { deadline } from "@std/async";
import { TextLineStream } from "../../../kit/servers/text_lines.ts";

/** What a {@link Canary} has noticed. */
export interface CanaryFigures {
  /**
   * The longest that the node worked while a call waited for its answer, in milliseconds. Time in which
   * the node or the client had no core does not count, so that other processes do not matter.
   */
  readonly answer: number;
  /** The longest wait for an answer, in milliseconds. */
  readonly waited: number;
  /** The longest that the node worked while a new client negotiated, connected and called. */
  readonly visit: number;
  /** Why it was closed, or refused. */
  readonly failure?: string;
}

/** How long a canary may take to start, or to tell its figures, in milliseconds. */
const PATIENCE = 30_000;

/**
 * A healthy client that calls every 10 ms, and a new client every 100 ms, in a process of their own: how
 * long they wait says how long the node did nothing for anybody.
 */
export class Canary implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #questions: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #disposed = false;

  private constructor(port: number, pid: number) {
    const program = new URL("./canary_process.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      // Only a process that may do everything may read /proc.
      args: ["run", "--allow-all", "--quiet", program, `${port}`, `${pid}`],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#questions = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** Connects and begins. */
  static async start(port: number, pid: number): Promise<Canary> {
    const canary = new Canary(port, pid);
    await canary.#answer();
    return canary;
  }

  /** Forgets what it has noticed. */
  reset(): Promise<void> {
    return this.#say("reset");
  }

  /** What it has noticed since {@link reset}, once it is served again or has waited for 20 s. */
  async figures(): Promise<CanaryFigures> {
    await this.#say("ask");
    return await this.#answer();
  }

  async #say(word: string): Promise<void> {
    await this.#questions.write(new TextEncoder().encode(`${word}\n`));
  }

  async #answer(): Promise<CanaryFigures> {
    const { value } = await deadline(this.#lines.read(), PATIENCE);
    if (value === undefined) throw new Error("The canary has ended");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
    await this.#questions.abort().catch(() => {});
  }
}
