/**
 * Nobody is asked for messages that were handed over so long before a channel was wanted, in milliseconds.
 * An answer that takes longer is ignored, because the age in its question was an age at that time.
 */
export const SLACK = 5000;
/** How many questions are remembered: those of the time that an answer may take. */
const MAXIMUM_ASKED = 20;

/** A question that was asked. */
export interface AskedQuestion {
  /** When. */
  readonly at: number;
  /** Up to which number messages were wanted. */
  readonly want: number;
}

/** The ids of questions: a node that is asked takes a second question with the same id for a copy. */
export class QuestionIds {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

/** The questions about one thing that may still be answered. */
export class Asked {
  readonly #questions = new Map<number, AskedQuestion>();
  /** When the last question was asked; `undefined` before the first. */
  lastAt: number | undefined;

  /** A question is asked; `want` is the highest number that its asker has heard of. */
  add(id: number, now: number, want: number): void {
    this.lastAt = now;
    this.#questions.set(id, { at: now, want });
    const [oldest] = this.#questions.keys();
    if (this.#questions.size > MAXIMUM_ASKED && oldest !== undefined) {
      this.#questions.delete(oldest);
    }
  }

  /** The question to which an answer comes now; `undefined` if that comes too late. */
  answered(id: number, now: number): AskedQuestion | undefined {
    const question = this.#questions.get(id);
    return question !== undefined && now - question.at <= SLACK ? question : undefined;
  }

  /** Questions about another thing follow. */
  clear(): void {
    this.#questions.clear();
  }
}
