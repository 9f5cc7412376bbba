/** What decides where connections are cut; `HUBPLANE_STATEFUL_SEED` repeats, or varies it. */
export const SEED = Number(Deno.env.get("HUBPLANE_STATEFUL_SEED") ?? 20_250_821);

/** Numbers from 0 to 1 that `seed` decides (mulberry32). */
export function seeded(seed: number = SEED): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Runs a test whose failure names the seed. */
export async function withSeed(test: (random: () => number) => Promise<void>): Promise<void> {
  try {
    await test(seeded());
  } catch (error) {
    throw new Error(`HUBPLANE_STATEFUL_SEED=${SEED}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
