/**
 * The books of a loss test: what was published, what arrived, and which loss somebody reported.
 *
 * @module
 */
import type { BackplaneGap } from "../../../backplanes/backplane.ts";

/** What became of the messages of one run; `silentlyLost`, `duplicates` and `outOfOrder` must be 0. */
export interface LossResult {
  /** How many publishes were called. */
  readonly published: number;
  /** How many different messages arrived. */
  readonly delivered: number;
  /** How many publishes rejected; some of these messages may have arrived. */
  readonly rejected: number;
  /** Accepted, did not arrive, and a gap of the subscriber or of the publisher covers it. */
  readonly reportedLost: number;
  /** Accepted, did not arrive, and nobody said so. */
  readonly silentlyLost: number;
  /** How many messages arrived once more. */
  readonly duplicates: number;
  /** How many messages arrived after one that was published later. */
  readonly outOfOrder: number;
  /** Every gap that either side reported. */
  readonly gaps: readonly BackplaneGap[];
}

interface Entry {
  readonly called: number;
  settled: number;
  accepted: boolean;
}

/** Keeps count of numbered messages; both sides must share one clock. */
export class LossLedger {
  readonly #entries: Entry[] = [];
  readonly #arrived = new Set<number>();
  readonly #gaps: BackplaneGap[] = [];
  #last = -1;
  #duplicates = 0;
  #outOfOrder = 0;

  /** Notes a publish that is about to be called; returns its number. */
  publishing(): number {
    return this.#entries.push({ called: Date.now(), settled: Infinity, accepted: true }) - 1;
  }

  /** Notes how the publish of `sequence` ended. */
  settled(sequence: number, accepted: boolean): void {
    const entry = this.#entries[sequence];
    if (entry === undefined) throw new Error(`Cannot settle ${sequence}: it was not published`);
    entry.settled = Date.now();
    entry.accepted = accepted;
  }

  /** Notes an arrival at the subscriber. */
  received(sequence: number): void {
    if (this.#arrived.has(sequence)) {
      this.#duplicates++;
      return;
    }
    this.#arrived.add(sequence);
    if (sequence < this.#last) this.#outOfOrder++;
    else this.#last = sequence;
  }

  /** Whether the message arrived. */
  has(sequence: number): boolean {
    return this.#arrived.has(sequence);
  }

  /** Notes a gap that a status event of either side reported. */
  reported(gap: BackplaneGap): void {
    this.#gaps.push(gap);
  }

  /** The account so far. */
  result(): LossResult {
    const lost = this.#entries.filter((entry, sequence) =>
      entry.accepted && !this.#arrived.has(sequence)
    );
    const reportedLost =
      lost.filter((entry) =>
        this.#gaps.some((gap) => entry.called <= gap.until && entry.settled >= gap.since)
      ).length;
    return {
      published: this.#entries.length,
      delivered: this.#arrived.size,
      rejected: this.#entries.filter((entry) => !entry.accepted).length,
      reportedLost,
      silentlyLost: lost.length - reportedLost,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
      gaps: this.#gaps,
    };
  }
}
