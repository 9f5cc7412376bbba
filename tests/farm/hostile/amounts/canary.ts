/** What a {@link Canary} has noticed. */
export interface CanaryFigures {
  /**
   * The longest that the node worked while a call waited for its answer, in milliseconds. Time in which
   * the node had no core does not count, so that other processes do not matter.
   */
  readonly answer: number;
  /** The longest wait for an answer, in milliseconds. */
  readonly waited: number;
  /** The longest that the node worked while a new client negotiated, connected and called. */
  readonly visit: number;
  /** Why it was closed, or refused. */
  readonly failure?: string;
}

/**
 * A healthy client that calls every 10 ms, and a new client every 100 ms, in a thread of their own: how
 * long they wait says how long the node did nothing for anybody.
 */
export class Canary implements Disposable {
  readonly #worker = new Worker(new URL("./canary_worker.ts", import.meta.url), { type: "module" });

  private constructor() {}

  /** Connects and begins. */
  static async start(port: number, pid: number): Promise<Canary> {
    const canary = new Canary();
    await canary.#post({ port, pid });
    return canary;
  }

  /** Forgets what it has noticed. */
  reset(): void {
    this.#worker.postMessage({ reset: true });
  }

  /** What it has noticed since {@link reset}, once it is served again or has waited for 5 s. */
  figures(): Promise<CanaryFigures> {
    return this.#post({ ask: true });
  }

  #post(question: object): Promise<CanaryFigures> {
    const { promise, resolve, reject } = Promise.withResolvers<CanaryFigures>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = ({ message }) => reject(new Error(message));
    this.#worker.postMessage(question);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
