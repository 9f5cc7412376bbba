import { REPEAT_INTERVAL } from "./holes.ts";
import type { RepairQuestion } from "./repair_effects.ts";

/** How many questions are remembered; of older ones each is asked by itself again. */
const MAXIMUM_ASKED = 10_000;

/** A question that several ask. */
interface Asked {
  readonly key: string;
  readonly node: string;
  readonly at: number;
  /** The ids under which it was asked in the question that has left, and since then. */
  readonly ids: readonly number[];
  readonly waiting: RepairQuestion[];
}

/**
 * Asks the same question once for all that have it: many connections move at the same time, and all of them lack
 * the messages of the same time. A question that comes while the same is under way waits for that answer, because
 * the answer may be older than the question, and then leaves with all others that wait.
 */
export class SharedQuestions {
  readonly #ask: (node: string, question: RepairQuestion) => boolean;
  readonly #byKey = new Map<string, Asked>();
  readonly #byId = new Map<number, Asked>();

  /** `ask` hands a question to the bus. */
  constructor(ask: (node: string, question: RepairQuestion) => boolean) {
    this.#ask = ask;
  }

  /** Asks a node now or soon; returns `false` if too many questions have left. */
  ask(node: string, question: RepairQuestion, now: number): boolean {
    const { kind, after, age } = question;
    const channel = kind === "askMessages" ? question.channel : "";
    const key = `${node}\n${kind}\n${after}\n${age}\n${channel}`;
    const asked = this.#byKey.get(key);
    if (asked === undefined || now - asked.at >= REPEAT_INTERVAL) {
      return this.#send(key, node, [question], now);
    }
    asked.waiting.push(question);
    return true;
  }

  /** An answer has come; returns the ids of all questions that it answers. */
  answered(id: number, now: number): readonly number[] {
    const asked = this.#byId.get(id);
    if (asked === undefined) return [id];
    this.#forget(asked);
    if (asked.waiting.length > 0) this.#send(asked.key, asked.node, asked.waiting, now);
    return asked.ids;
  }

  #send(key: string, node: string, questions: readonly RepairQuestion[], now: number): boolean {
    const [first] = questions;
    if (first === undefined) return true;
    const before = this.#byKey.get(key);
    if (before !== undefined) this.#forget(before);
    const ids = questions.map(({ id }) => id);
    const asked = { key, node, at: now, ids, waiting: [] };
    this.#byKey.set(key, asked);
    this.#byId.set(first.id, asked);
    const [oldest] = this.#byKey.values();
    if (this.#byKey.size > MAXIMUM_ASKED && oldest !== undefined) this.#forget(oldest);
    return this.#ask(node, first);
  }

  #forget(asked: Asked): void {
    if (this.#byKey.get(asked.key) === asked) this.#byKey.delete(asked.key);
    const [first] = asked.ids;
    if (first !== undefined) this.#byId.delete(first);
  }
}
