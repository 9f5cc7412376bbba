/** Calls a function after pauses that double up to a limit. */
export class BackOff {
  readonly #shortest: number;
  readonly #longest: number;
  readonly #run: () => void;
  #pause: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Pauses are in milliseconds. */
  constructor(shortest: number, longest: number, run: () => void) {
    this.#shortest = this.#pause = shortest;
    this.#longest = longest;
    this.#run = run;
  }

  /** Calls the function after the next pause, unless that is under way. */
  schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#pause = Math.min(2 * this.#pause, this.#longest);
      this.#run();
    }, this.#pause);
  }

  /** Ends the pause under way; the next pause is the shortest again. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pause = this.#shortest;
  }
}
