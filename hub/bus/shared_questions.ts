import { REPEAT_INTERVAL } from "./holes.ts";
import type { RepairQuestion } from "./repair_effects.ts";

/** How many questions are remembered, and for how long, in milliseconds; an answer to an older one is ignored. */
const MAXIMUM_ASKED = 10_000;
const REMEMBERED = 15_000;

/** A question, and who asks it. */
interface Own<A> {
  readonly question: RepairQuestion;
  readonly asker: A;
}

/** A question that has left. */
interface Asked<A> {
  readonly key: string;
  readonly node: string;
  readonly at: number;
  readonly together: readonly Own<A>[];
  /** The same question of those that came since then. */
  readonly waiting: Own<A>[];
}

/**
 * Asks the same question once for all that have it: many connections move at the same time, and all of them lack
 * the messages of the same time. A question that comes while the same is under way waits for that answer, because
 * the answer may be older than the question, and then leaves with all others that wait. `A` is who asks.
 */
export class SharedQuestions<A> {
  readonly #ask: (node: string, question: RepairQuestion) => boolean;
  /** The questions that are under way. */
  readonly #underWay = new Map<string, Asked<A>>();
  /** All that may still be answered, by the id that has left; the oldest comes first. */
  readonly #asked = new Map<number, Asked<A>>();

  /** `ask` hands a question to the bus. */
  constructor(ask: (node: string, question: RepairQuestion) => boolean) {
    this.#ask = ask;
  }

  /** Asks a node now or soon; returns `false` if too many questions have left. */
  ask(node: string, question: RepairQuestion, asker: A, now: number): boolean {
    const { kind, after, age } = question;
    const channel = kind === "askMessages" ? question.channel : "";
    const key = `${node}\n${kind}\n${after}\n${age}\n${channel}`;
    const asked = this.#underWay.get(key);
    if (asked === undefined || now - asked.at >= REPEAT_INTERVAL) {
      return this.#send(key, node, [{ question, asker }], now);
    }
    asked.waiting.push({ question, asker });
    return true;
  }

  /** An answer has come; returns the ids of all questions that it answers, each with its asker. */
  answered(id: number, now: number): (readonly [id: number, asker: A])[] {
    const asked = this.#asked.get(id);
    if (asked === undefined) return [];
    this.#asked.delete(id);
    const { key, node, together, waiting } = asked;
    if (this.#underWay.get(key) === asked) {
      this.#underWay.delete(key);
      if (waiting.length > 0) this.#send(key, node, waiting, now);
    }
    return together.map(({ question, asker }) => [question.id, asker]);
  }

  /** How many questions are remembered. */
  get size(): number {
    return this.#asked.size;
  }

  /** Forgets questions that were not answered for long, and who asked them. */
  forgetOld(now: number): void {
    for (const [id, asked] of this.#asked) {
      if (now - asked.at < REMEMBERED) return;
      this.#forget(id, asked);
    }
  }

  /** Nobody asks any more. */
  clear(): void {
    this.#asked.clear();
    this.#underWay.clear();
  }

  #forget(id: number, asked: Asked<A>): void {
    this.#asked.delete(id);
    if (this.#underWay.get(asked.key) === asked) this.#underWay.delete(asked.key);
  }

  #send(key: string, node: string, together: readonly Own<A>[], now: number): boolean {
    const [first] = together;
    if (first === undefined) return true;
    const asked = { key, node, at: now, together, waiting: [] };
    this.#underWay.set(key, asked);
    this.#asked.set(first.question.id, asked);
    const [oldest] = this.#asked;
    if (this.#asked.size > MAXIMUM_ASKED && oldest !== undefined) this.#forget(...oldest);
    return this.#ask(node, first.question);
  }
}
