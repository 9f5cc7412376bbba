import type { Clock } from "../clock.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { visitAll, type VisitContext } from "../scheduling/visits.ts";
import type { NodeContext } from "./node_context.ts";

/** The terms of a question. */
export interface QuestionTerms {
  /** How long the answer may take, in milliseconds. */
  readonly timeout: number;
  /** The error when the answer does not come in time. */
  late(): Error;
  /** The connection that the answer depends on; see {@link Questions.abandon}. */
  readonly connectionId?: string;
}

interface Question<A> {
  readonly connectionId: string | undefined;
  readonly timeout: number;
  late(): Error;
  settle(outcome: A | Error): void;
}

/** The longest time that a timer of the platform can wait, in milliseconds. */
const LONGEST_TIMEOUT = 0x7fffffff;

/** The questions of one kind that have no answer yet, by the id that the answer repeats. */
export class Questions<I, A> {
  readonly #clock: Clock;
  readonly #context: VisitContext;
  readonly #open = new Map<I, Question<A>>();
  readonly #byConnection = new Map<string, Set<I>>();
  /** By their timeouts: most questions have the same one, and share a timer. */
  readonly #deadlines = new Map<number, Deadlines<I>>();

  constructor(context: Pick<NodeContext, "clock" | "scheduler" | "limitedLog">) {
    this.#clock = context.clock;
    this.#context = context;
  }

  /** Resolves with the answer to `id`, or rejects with the error why there is none. */
  ask(id: I, terms: QuestionTerms): Promise<A> {
    const { promise, resolve, reject } = Promise.withResolvers<A>();
    this.expect(id, terms, (outcome) => {
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
    return promise;
  }

  /** Calls `settle` once, with the answer to `id` or with the error why there is none. */
  expect(id: I, terms: QuestionTerms, settle: (outcome: A | Error) => void): void {
    const { connectionId, late } = terms;
    const timeout = Math.min(terms.timeout, LONGEST_TIMEOUT);
    const before = this.#open.get(id);
    if (before !== undefined) this.#forget(id, before);
    this.#open.set(id, { connectionId, timeout, late, settle });
    this.#begin(id, timeout);
    if (connectionId === undefined) return;
    const same = this.#byConnection.get(connectionId);
    if (same === undefined) this.#byConnection.set(connectionId, new Set([id]));
    else same.add(id);
  }

  /** The connection that the answer to `id` depends on; `undefined` if the question is not open. */
  connectionOf(id: I): string | undefined {
    return this.#open.get(id)?.connectionId;
  }

  /** How many questions depend on a connection. */
  pending(connectionId: string): number {
    return this.#byConnection.get(connectionId)?.size ?? 0;
  }

  /** The answer, or the error why there is none. An unknown id is ignored: it may have timed out. */
  settle(id: I, outcome: A | Error): void {
    const question = this.#open.get(id);
    if (question === undefined) return;
    this.#open.delete(id);
    this.#forget(id, question);
    question.settle(outcome);
  }

  /** The connection has gone: every question that depends on it ends with `error`. */
  abandon(connectionId: string, error: Error): void {
    const ids = this.#byConnection.get(connectionId);
    if (ids !== undefined) visitAll(this.#context, ids, (id) => this.settle(id, error));
  }

  /** Every question ends with `error`. */
  close(error: Error): void {
    for (const id of [...this.#open.keys()]) this.settle(id, error);
  }

  #begin(id: I, timeout: number): void {
    let deadlines = this.#deadlines.get(timeout);
    if (deadlines === undefined) {
      deadlines = new Deadlines(this.#clock, timeout, (id) => this.#late(id));
      this.#deadlines.set(timeout, deadlines);
    }
    deadlines.begin(id);
  }

  #late(id: I): void {
    const question = this.#open.get(id);
    if (question !== undefined) this.settle(id, question.late());
  }

  #forget(id: I, { connectionId, timeout }: Question<A>): void {
    const deadlines = this.#deadlines.get(timeout);
    deadlines?.end(id);
    if (deadlines?.size === 0) this.#deadlines.delete(timeout);
    if (connectionId === undefined) return;
    const same = this.#byConnection.get(connectionId);
    if (same?.delete(id) && same.size === 0) this.#byConnection.delete(connectionId);
  }
}
