/** What still has to be repaired before an outage of the bus is over. */
export class Recovery {
  readonly #parts = new Set<object>();
  readonly #settled: () => void;

  /** `settled` is called when the last part has ended. */
  constructor(settled: () => void) {
    this.#settled = settled;
  }

  /** Whether the end of the outage depends on a part. */
  has(part: object): boolean {
    return this.#parts.has(part);
  }

  /** The end of the outage depends on these parts too; without any it is over. */
  begin(parts: Iterable<object>): void {
    for (const part of parts) this.#parts.add(part);
    if (this.#parts.size === 0) this.#settled();
  }

  /** One part goes on as another. */
  follow(part: object, next: object | undefined): void {
    if (next !== undefined && this.#parts.has(part)) this.#parts.add(next);
  }

  /** A part has ended. */
  end(part: object): void {
    if (this.#parts.delete(part) && this.#parts.size === 0) this.#settled();
  }
}
