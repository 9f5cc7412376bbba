import { seeded } from "../../../kit/random.ts";

/** Chance that a seed decides. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  /** A whole number from 0 and below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** Whether something happens that has this probability. */
  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** One of several. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Cannot pick an item: there is none");
    return item;
  }

  /** How many milliseconds a message takes in one direction; sometimes many. */
  latency(): number {
    return 1 + this.#next() * (this.chance(0.05) ? 60 : 5);
  }
}
