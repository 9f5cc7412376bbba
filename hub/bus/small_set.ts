/** How many items a set holds in an array. */
const SMALL = 8;
const NOTHING: readonly never[] = [];

/**
 * A set of objects that takes little memory while it is small: most channels have one member on a node,
 * and most connections are in one channel. Its items are not arrays, nor sets.
 *
 * An iteration is not disturbed by items that are deleted meanwhile.
 */
export class SmallSet<T extends object> {
  /** The only item, or several. An array is replaced and never changed. */
  #items: T | readonly T[] | Set<T> = NOTHING;

  get size(): number {
    const several = this.#several;
    if (several === undefined) return 1;
    return several instanceof Set ? several.size : several.length;
  }

  /** Whether `item` is in the set. */
  has(item: T): boolean {
    const several = this.#several;
    if (several === undefined) return this.#items === item;
    return several instanceof Set ? several.has(item) : several.includes(item);
  }

  /** Adds `item`; returns whether it was absent. */
  add(item: T): boolean {
    const several = this.#several ?? [this.#items as T];
    if (several instanceof Set) {
      const before = several.size;
      return several.add(item).size > before;
    }
    if (several.includes(item)) return false;
    if (several.length === 0) this.#items = item;
    // Unlike a spread, concat() leaves no spare room behind.
    else this.#items = several.length < SMALL ? several.concat(item) : new Set([...several, item]);
    return true;
  }

  /** Deletes `item`; returns whether it was there. */
  delete(item: T): boolean {
    const several = this.#several ?? [this.#items as T];
    if (several instanceof Set) return several.delete(item);
    if (!several.includes(item)) return false;
    this.#items = several.length === 1 ? NOTHING : several.filter((other) => other !== item);
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#several ?? [this.#items as T])[Symbol.iterator]();
  }

  get #several(): readonly T[] | Set<T> | undefined {
    const items = this.#items;
    return Array.isArray(items) || items instanceof Set ? items : undefined;
  }
}
