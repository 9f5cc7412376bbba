import type { Clock } from "../clock.ts";

/** The native WebSockets that a server has closed, until their clients have answered the close. */
export class ClosingSockets {
  readonly #sockets = new Set<object>();
  #none: PromiseWithResolvers<void> | undefined;

  /** A socket was closed. */
  add(socket: object): void {
    this.#sockets.add(socket);
  }

  /** A socket has ended. */
  delete(socket: object): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#none?.resolve();
  }

  /** Resolves when all closed sockets have ended, or after `timeout`: a client may never answer. */
  async ended(clock: Pick<Clock, "after">, timeout: number): Promise<void> {
    if (this.#sockets.size === 0) return;
    const { promise, resolve } = this.#none ??= Promise.withResolvers<void>();
    const timer = clock.after(timeout, resolve);
    await promise;
    timer[Symbol.dispose]();
  }
}
