/** The publishes that a NATS server has not yet accepted. */
import { BackplaneError, BackplaneUnavailableError } from "./errors.ts";

/** What publishing needs of a connection. */
export interface PublishingConnection {
  /** Hands the message over; throws if the connection is closed. */
  publish(subject: string, payload: Uint8Array): void;
  /** Sends all that was handed over and a PING; resolves with its PONG, or never. */
  flush(): Promise<void>;
}

/** What was published in one turn, and by which time the server must have accepted it. */
interface Batch {
  readonly deadline: number;
  readonly subjects: Map<string, PromiseWithResolvers<undefined>>;
}

/**
 * Publishes and waits for acceptance.
 *
 * - **Accepted** is what was sent before a PING that the server has answered: it works through what
 *   a connection sends in order.
 * - **One turn, one PING, one write**, and one promise for all publishes on one channel.
 * - **One timer** for all of them, armed at most once in `timeout`.
 */
export class Publishes {
  readonly #connection: PublishingConnection;
  readonly #timeout: number;
  /** Oldest first, as their PONGs come. */
  readonly #batches: Batch[] = [];
  #open: Batch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;

  constructor(connection: PublishingConnection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** Hands `payload` over before it returns; resolves when the server has accepted it. */
  publish(subject: string, payload: Uint8Array): Promise<undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { subjects } = this.#open ??= this.#openBatch();
    let accepted = subjects.get(subject);
    if (accepted === undefined) {
      accepted = Promise.withResolvers<undefined>();
      subjects.set(subject, accepted);
    }
    try {
      this.#connection.publish(subject, payload);
    } catch (cause) {
      return Promise.reject(
        new BackplaneUnavailableError("Cannot publish: NATS is away", { cause }),
      );
    }
    return accepted.promise;
  }

  /**
   * The server refused what was published on `subject`; says whether anybody is told.
   *
   * A server answers in the order it was asked, so this is a publish of the oldest batch.
   */
  denied(subject: string, cause: unknown): boolean {
    const accepted = this.#batches[0]?.subjects.get(subject);
    accepted?.reject(new BackplaneError("Cannot publish: NATS does not permit it", { cause }));
    return accepted !== undefined;
  }

  /** The connection is gone: what was not accepted is rejected with `error`, and all that follows. */
  fail(error: Error): void {
    this.#failure ??= error;
    clearTimeout(this.#timer);
    for (const batch of this.#batches.splice(0)) this.#reject(batch, error);
  }

  #openBatch(): Batch {
    const batch: Batch = { deadline: performance.now() + this.#timeout, subjects: new Map() };
    this.#batches.push(batch);
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    // Ahead of the client's own flush, which it asks for at the first publish: one write for all.
    queueMicrotask(() => {
      this.#open = undefined;
      this.#connection.flush().then(() => this.#accepted(), () => {});
    });
    return batch;
  }

  /** A PONG: the oldest batch is the one it answers. */
  #accepted(): void {
    for (const accepted of this.#batches.shift()?.subjects.values() ?? []) {
      accepted.resolve(undefined);
    }
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const batch of this.#batches) {
      if (batch.deadline > now) {
        this.#timer = setTimeout(this.#sweep, batch.deadline - now);
        return;
      }
      // It stays in line for its PONG; settling a promise again has no effect.
      this.#reject(
        batch,
        new BackplaneUnavailableError(
          `Cannot publish: NATS did not accept it within ${this.#timeout} ms`,
        ),
      );
    }
  };

  #reject(batch: Batch, error: Error): void {
    for (const accepted of batch.subjects.values()) accepted.reject(error);
  }
}
