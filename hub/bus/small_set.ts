/** How many items a set holds in an array. */
const SMALL = 8;

/**
 * A set that takes little memory while it is small: most channels have one member on a node, and most
 * connections are in few channels.
 *
 * An iteration is not disturbed by what is added or deleted meanwhile.
 */
export class SmallSet<T> {
  /** The array is replaced and never changed. */
  #items: readonly T[] | Set<T> = [];

  get size(): number {
    return this.#items instanceof Set ? this.#items.size : this.#items.length;
  }

  /** Adds `item`; returns whether it was absent. */
  add(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) {
      const before = items.size;
      return items.add(item).size > before;
    }
    if (items.includes(item)) return false;
    // Unlike a spread, concat() leaves no spare room behind.
    this.#items = items.length < SMALL ? items.concat([item]) : new Set([...items, item]);
    return true;
  }

  /** Deletes `item`; returns whether it was there. */
  delete(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) return items.delete(item);
    if (!items.includes(item)) return false;
    this.#items = items.filter((other) => other !== item);
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }
}
