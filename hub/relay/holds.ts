/** How many requests of one user, or for one connection of an anonymous client, are held at a time. */
const MAXIMUM_SHARE = 100;

/** Counts the requests that wait until another node has taken them over, and bounds them. */
export class Holds {
  readonly #most: number;
  readonly #shares = new Map<string, number>();
  #held = 0;

  /** At most `most` requests are held. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many requests are held. */
  get held(): number {
    return this.#held;
  }

  /** Holds a request; returns the function that releases it, which is idempotent, or nothing if too many are. */
  take(key: string): (() => void) | undefined {
    const share = this.#shares.get(key) ?? 0;
    if (this.#held >= this.#most || share >= MAXIMUM_SHARE) return undefined;
    this.#held++;
    this.#shares.set(key, share + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#held--;
      const left = (this.#shares.get(key) ?? 1) - 1;
      if (left === 0) this.#shares.delete(key);
      else this.#shares.set(key, left);
    };
  }
}
