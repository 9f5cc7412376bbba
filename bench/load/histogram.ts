/** Latencies in buckets that are 1 % wide, from 1 µs to 100 s: no allocation, no sorting. */
export class Histogram {
  readonly #buckets = new Uint32Array(1900);
  #count = 0;

  /** Adds a latency in milliseconds. */
  add(milliseconds: number): void {
    const exact = Math.round(Math.log(Math.max(milliseconds * 1000, 1)) * 100);
    const index = Math.min(exact, this.#buckets.length - 1);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count++;
  }

  /** Removes all latencies. */
  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }

  /** A quantile (0 to 1) in microseconds; `null` if there are no latencies. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    let seen = 0;
    for (const [index, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= share * this.#count) return Math.round(Math.exp(index / 100) * 10) / 10;
    }
    return null;
  }
}
