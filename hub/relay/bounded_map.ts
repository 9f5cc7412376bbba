/** A map that forgets its oldest entries when there are too many. */
export class BoundedMap<K, V> {
  readonly #most: number;
  readonly #entries = new Map<K, V>();

  /** Remembers `most` entries. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many entries are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, if it is remembered. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Remembers a value; the entry is the newest one then. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets a key. */
  delete(key: K): void {
    this.#entries.delete(key);
  }
}
