/** The names of the members of `O`. The compiler refuses a list in which one is missing. */
export type NamesOf<O> = Readonly<Record<keyof O, true>>;

/**
 * Checks that `options` has no members but those that `known` has.
 *
 * @throws {TypeError} naming the member and the nearest known one; the text begins with `task`.
 */
export function checkNames(options: object, known: object, task: string): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const nearest = Object.keys(known).toSorted((a, b) => distance(name, a) - distance(name, b))[0];
    throw new TypeError(`${task}: "${name}" is not a known name; the nearest is "${nearest}"`);
  }
}

/** How many characters must be added or removed to turn one name into the other; case does not count. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, unit] of [...from.toLowerCase()].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to.toLowerCase()].entries()) {
      const replaced = (row[j] ?? 0) + (unit === other ? 0 : 2);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
