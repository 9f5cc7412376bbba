import type { Arrow } from "../../kit/graph.ts";

/**
 * The circles that imports close, each as the files on its way: `a → b → a`. Imports of types count: who
 * reads one file must read all files of its circle. Every file of a circle is named in at least one.
 */
export function circlesOf(arrows: readonly Arrow[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of arrows) targets.set(from, [...targets.get(from) ?? [], to].sort());
  const named = new Set<string>();
  const circles: string[] = [];
  for (const file of [...targets.keys()].sort()) {
    const way = named.has(file) ? undefined : wayBack(file, targets);
    if (way === undefined) continue;
    for (const step of way) named.add(step);
    circles.push(way.join(" → "));
  }
  return circles;
}

/** The shortest way from a file to itself. */
function wayBack(start: string, targets: ReadonlyMap<string, string[]>): string[] | undefined {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  // The list grows while it is walked: shorter ways come first.
  for (const way of ways) {
    for (const next of targets.get(way.at(-1) ?? "") ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
