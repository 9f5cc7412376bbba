/**
 * Evaluates policies. `specs/signalr-wire.md §9.2`.
 *
 * @module
 */
import { isThenable, type NowOrLater } from "./now_or_later.ts";

/**
 * Whether every policy returns `true`. Policies are asked one after the other, until one refuses. A
 * policy that throws or rejects is reported and refuses. Never throws or rejects.
 */
export function allAllow<P>(
  policies: readonly P[],
  ask: (policy: P) => unknown,
  report: (error: unknown) => void,
  from = 0,
): NowOrLater<boolean> {
  for (let i = from; i < policies.length; i++) {
    let verdict: unknown;
    try {
      verdict = ask(policies[i] as P);
    } catch (error) {
      report(error);
      return false;
    }
    if (isThenable(verdict)) {
      return Promise.resolve(verdict).then(
        (said) => said === true && allAllow(policies, ask, report, i + 1),
        (error) => {
          report(error);
          return false;
        },
      );
    }
    if (verdict !== true) return false;
  }
  return true;
}
