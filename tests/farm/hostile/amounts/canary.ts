/** What a {@link Canary} has noticed. */
export interface CanaryFigures {
  /** The longest wait for the answer to a call, in milliseconds. */
  readonly answer: number;
  /** The longest that a new client took to negotiate, connect and call, in milliseconds. */
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
  static async start(port: number): Promise<Canary> {
    const canary = new Canary();
    await canary.#post({ port });
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
