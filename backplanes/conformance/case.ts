import { within } from "./assert.ts";
import type { ConformanceSubject } from "./subject.ts";
import { Trial } from "./trial.ts";

/** One behaviour of the contract, and how to try it. */
export interface ConformanceCase {
  /** What must hold, as a sentence; unique. */
  readonly name: string;
  /** What the subject's bus must be able to do: `stop` and `start`, `pause` and `resume` too, or refuse a channel. */
  readonly needs?: "stop" | "pause" | "refuse";
  /** Tries it; rejects when it does not hold. Every wait in it is bounded. */
  run(subject: ConformanceSubject): Promise<void>;
}

/** What faults and timeouts that the contract bounds may add to a case, in milliseconds. */
const FAULTS = 30_000;

/** Makes a case of a sentence and a body, which gets a trial that is cleaned up after it. */
export function conformanceCase(
  name: string,
  body: (trial: Trial) => Promise<void>,
  needs?: "stop" | "pause" | "refuse",
): ConformanceCase {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    async run(subject) {
      await using trial = new Trial(subject);
      const limit = 3 * trial.patience + FAULTS;
      await within(body(trial), `"${name}" holds`, limit);
    },
  };
}
