const encoder = new TextEncoder();

/** One line on the standard error that shows the progress. */
export class Progress {
  readonly #total: number;
  readonly #terminal = Deno.stderr.isTerminal();
  #run = 0;

  /** `total` is the number of runs. */
  constructor(total: number) {
    this.#total = total;
  }

  /** Shows a new run; returns a function that shows its phase. */
  run(scenario: string, subject: string, round: string): (phase: string) => void {
    const head = `[${++this.#run}/${this.#total}] ${scenario} · ${subject} · ${round}`;
    if (!this.#terminal) this.say(head);
    return (phase) => {
      if (this.#terminal) this.say(`${head} · ${phase}`);
    };
  }

  /** Replaces the last line; prints a new line if the output is not a terminal. */
  say(line: string): void {
    this.clear();
    Deno.stderr.writeSync(encoder.encode(this.#terminal ? line : `${line}\n`));
  }

  /** Removes the line. */
  clear(): void {
    if (this.#terminal) Deno.stderr.writeSync(encoder.encode("\r\x1b[2K"));
  }
}
