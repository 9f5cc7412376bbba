/**
 * Measures for how long others have been silent. Silence counts only while this node listened: a node
 * that stood still, or whose bus was away, has not heard what the others said meanwhile.
 *
 * All times are milliseconds of one clock that never jumps.
 */
export class Silence {
  readonly #longestPause: number;
  #looked: number;
  #listening: number;

  /** `longestPause` is the longest time between two looks of a node that does not stand still. */
  constructor(longestPause: number, now: number) {
    this.#longestPause = longestPause;
    this.#looked = this.#listening = now;
  }

  /** Tells that this node works; returns whether it stood still before. Then all silence begins now. */
  look(now: number): boolean {
    const stoodStill = now - this.#looked > this.#longestPause;
    this.#looked = now;
    if (stoodStill) this.excuse(now);
    return stoodStill;
  }

  /** Lets all silence begin now. */
  excuse(now: number): void {
    this.#listening = now;
  }

  /** For how long a peer has been silent that was last heard at `heard`. */
  since(heard: number, now: number): number {
    return now - Math.max(heard, this.#listening);
  }
}
