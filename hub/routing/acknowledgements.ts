import type { Acknowledgement } from "../bus/envelope.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Questions, type QuestionTerms } from "../bus/questions.ts";
import { HubError } from "../definition/errors.ts";

/** The group commands and questions of this node that another node acknowledges. */
export class Acknowledgements {
  readonly #pending: Questions<number, void>;
  #lastId = 0;

  constructor(context: NodeContext) {
    this.#pending = new Questions(context);
  }

  /** A new id. */
  next(): number {
    // An int32 between nodes: start again rather than overflow.
    return this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
  }

  /** Resolves when `id` is acknowledged; rejects with the error why it is not. */
  wait(id: number, terms: QuestionTerms): Promise<void> {
    return this.#pending.ask(id, terms);
  }

  /** Another node has answered. An unknown id is ignored. */
  settle({ id, error }: Acknowledgement): void {
    this.#pending.settle(id, error === undefined ? undefined : new HubError(error));
  }

  /** There will be no answer. */
  fail(id: number, error: Error): void {
    this.#pending.settle(id, error);
  }

  /** Rejects everything that waits. */
  close(error: Error): void {
    this.#pending.close(error);
  }
}
