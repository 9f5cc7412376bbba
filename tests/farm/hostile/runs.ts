/**
 * How much is tried. In the gate whatever comes from chance or from mutations takes about a minute; for a
 * long run:
 * `HUBPLANE_HOSTILE_EFFORT=30 deno task test tests/farm/hostile`.
 *
 * @module
 */
import fc, { type Parameters } from "fast-check";

/** By how much more is tried than in the gate. */
export const EFFORT: number = Number(Deno.env.get("HUBPLANE_HOSTILE_EFFORT") ?? 1);

/**
 * Parameters of a property that runs `runs` times in the gate. A failure prints its seed and path; set
 * `HUBPLANE_HOSTILE_SEED` to see it again.
 */
export function bounded<T>(runs: number): Parameters<T> {
  const seed = Deno.env.get("HUBPLANE_HOSTILE_SEED");
  return {
    numRuns: Math.ceil(runs * EFFORT),
    // Shrinking against a node costs connections.
    endOnFailure: true,
    ...seed !== undefined && { seed: Number(seed) },
  };
}

export { fc };
