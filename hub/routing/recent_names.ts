/** How many names are remembered at least, of those that were wanted last; twice as many at most. */
const REMEMBERED = 1024;

/**
 * The channels of the connections that messages were sent to lately. A text that is put together has to be copied
 * and hashed before anything is found under it, which takes longer than to number a message.
 *
 * Two maps take turns, so that nothing has to be looked for: the older one is forgotten as a whole.
 */
export class RecentNames {
  readonly #nameOf: (id: string) => string;
  readonly #most: number;
  #recent = new Map<string, string>();
  #older = new Map<string, string>();

  /** `nameOf` makes the name of an id, which ends with the id; it throws if there is none. */
  constructor(nameOf: (id: string) => string, most: number = REMEMBERED) {
    this.#nameOf = nameOf;
    this.#most = most;
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** The name of an id. */
  of(id: string): string {
    return this.#recent.get(id) ?? this.#remember(id);
  }

  #remember(id: string): string {
    const name = this.#older.get(id) ?? this.#nameOf(id);
    if (this.#recent.size >= this.#most) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    // An id may be a part of a long text, which it would keep in memory.
    this.#recent.set(name.slice(name.length - id.length), name);
    return name;
  }
}
