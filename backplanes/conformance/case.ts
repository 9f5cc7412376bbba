import { within } from "./assert.ts";
import type { ConformanceSubject } from "./subject.ts";
import { Trial } from "./trial.ts";

/** One behaviour of the contract, and how to try it. */
export interface ConformanceCase {
  /** The behaviour, as a sentence; unique. */
  readonly name: string;
  /** The needs of the case: `bus`, also with `pause` and `resume` or `part` and `rejoin`, or `refusedChannel`. */
  readonly needs?: "stop" | "pause" | "part" | "refuse";
  /** Tries the behaviour; rejects if the driver lacks it. Every wait in it is bounded. */
  run(subject: ConformanceSubject): Promise<void>;
}

/** The time that faults and bounded timeouts may add to a case, in milliseconds. */
const FAULTS = 30_000;

/** Makes a case of each named body. A body gets a trial of its own, which is cleaned up after it. */
export function defineCases(
  bodies: Readonly<Record<string, (trial: Trial) => Promise<void>>>,
  needs?: ConformanceCase["needs"],
): ConformanceCase[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name,
    ...needs && { needs },
    async run(subject) {
      await using trial = new Trial(subject);
      await within(body(trial), `"${name}" holds`, 3 * trial.patience + FAULTS);
    },
  }));
}
