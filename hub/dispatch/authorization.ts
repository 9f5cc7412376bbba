import { isThenable, type NowOrLater } from "./now_or_later.ts";

/**
 * Whether every policy returns `true`. Policies are asked one after the other, until one refuses. A
 * policy that throws or rejects is reported and refuses. Never throws or rejects. `signalr-wire.md §9.2`.
 */
export function allAllow<P>(
  policies: readonly P[],
  ask: (policy: P) => unknown,
  report: (error: unknown) => void,
  at = 0,
): NowOrLater<boolean> {
  if (at === policies.length) return true;
  const refused = (error: unknown) => {
    report(error);
    return false;
  };
  const answered = (verdict: unknown) =>
    verdict === true && allAllow(policies, ask, report, at + 1);
  try {
    const verdict = ask(policies[at] as P);
    if (!isThenable(verdict)) return answered(verdict);
    return Promise.resolve(verdict).then(answered, refused);
  } catch (error) {
    return refused(error);
  }
}
