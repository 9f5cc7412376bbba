import type { NodeContext } from "../bus/node_context.ts";

/** A promise that knows whether anybody has asked for its outcome, as `await` does. */
class WatchedPromise<T> extends Promise<T> {
  #awaited = false;

  /** The promises that `then` returns are ordinary. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  get awaited(): boolean {
    return this.#awaited;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Without effect on {@link awaited}: a rejection must not end the process. */
  ignoreRejection(): void {
    super.then(undefined, () => {});
  }
}

interface Failure {
  readonly operation: string;
  readonly watched: WatchedPromise<unknown>;
  readonly error: unknown;
}

/** Logs the failures of promises that nobody awaits. */
export class UnheardFailures {
  readonly #context: Pick<NodeContext, "limitedLog" | "scheduler">;
  /** The failures of this turn. */
  #failures: Failure[] = [];

  constructor(context: Pick<NodeContext, "limitedLog" | "scheduler">) {
    this.#context = context;
  }

  /**
   * Returns a promise with the same outcome, which never becomes an unhandled rejection. If it rejects,
   * and nobody has asked for the outcome by the end of that turn, the failure of `operation` is logged.
   */
  watch<T>(operation: string, promise: Promise<T>): Promise<T> {
    const watched = new WatchedPromise<T>((resolve, reject) => {
      // A success costs two promises and no more.
      promise.then(resolve, (error) => {
        watched.ignoreRejection();
        reject(error);
        this.#failed(operation, watched, error);
      });
    });
    return watched;
  }

  #failed(operation: string, watched: WatchedPromise<unknown>, error: unknown): void {
    if (watched.awaited) return;
    this.#failures.push({ operation, watched, error });
    // One listener for all failures of the turn: many must not delay what others wait for.
    if (this.#failures.length === 1) this.#context.scheduler.atTurnEnd(this);
  }

  /** The turn in which promises have failed is over. */
  turnEnded(): void {
    const failures = this.#failures;
    this.#failures = [];
    for (const { operation, watched, error } of failures) {
      if (watched.awaited) continue;
      const name = error instanceof Error ? error.name : typeof error;
      const text = `${operation}() failed, and nobody awaits its promise:`;
      this.#context.limitedLog.log("warn", `${operation} ${name}`, text, error);
    }
  }
}
