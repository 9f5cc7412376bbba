import type { Clock } from "../clock.ts";

interface PendingAck {
  readonly timer: Disposable;
  resolve(): void;
  reject(error: Error): void;
}

/** The group commands that other nodes have not acknowledged yet. */
export class Acks {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #pending = new Map<number, PendingAck>();
  #lastId = 0;

  /** `timeout` is how long one may stay unacknowledged, in milliseconds. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Takes the next id; `acknowledged` rejects with `timeoutError()` when nobody answers in time. */
  expect(timeoutError: () => Error): { readonly id: number; readonly acknowledged: Promise<void> } {
    // An int32 between nodes: start again rather than overflow.
    const id = this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
    const acknowledged = new Promise<void>((resolve, reject) => {
      const timer = this.#clock.after(this.#timeout, () => this.fail(id, timeoutError()));
      this.#pending.set(id, { timer, resolve, reject });
    });
    return { id, acknowledged };
  }

  /** The owner has done it. An unknown id is ignored: it may have timed out. */
  complete(id: number): void {
    this.#take(id)?.resolve();
  }

  /** Nobody will do it. */
  fail(id: number, error: Error): void {
    this.#take(id)?.reject(error);
  }

  /** Rejects all that are pending. */
  close(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
  }

  #take(id: number): PendingAck | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.timer[Symbol.dispose]();
    return pending;
  }
}
