/** Something that may have too much to send. */
export interface Congestible {
  /** Whether it has. */
  readonly congested: boolean;
}

/**
 * The pauses before each look at something that waits, in milliseconds; the last repeats. Native
 * sockets do not say when they have drained: most have very soon, and the rest must not cost much.
 */
const PAUSES = [1, 4, 16, 50] as const;

const waiting = new Map<Congestible, PromiseWithResolvers<void>>();
/** What is looked at after the same pause shares one timer. */
const tiers: readonly Set<Congestible>[] = PAUSES.map(() => new Set());

/** Resolves when `outlet` is not congested any more. */
export function relieved(outlet: Congestible): Promise<void> {
  let wait = waiting.get(outlet);
  if (wait === undefined) {
    waiting.set(outlet, wait = Promise.withResolvers());
    lookLater(outlet, 0);
  }
  return wait.promise;
}

function lookLater(outlet: Congestible, tier: number): void {
  const outlets = tiers[tier];
  if (outlets?.add(outlet).size === 1) setTimeout(look, PAUSES[tier], tier);
}

function look(tier: number): void {
  const outlets = [...tiers[tier] ?? []];
  tiers[tier]?.clear();
  for (const outlet of outlets) {
    if (outlet.congested) {
      lookLater(outlet, Math.min(tier + 1, PAUSES.length - 1));
    } else {
      waiting.get(outlet)?.resolve();
      waiting.delete(outlet);
    }
  }
}
