/** The publishes that a NATS server has not yet accepted. */
import { MAXIMUM_WAITING_BYTES, waitingBytes } from "./_waiting.ts";
import { withResolvers } from "./_with_resolvers.ts";
import { BackplaneError, BackplaneUnavailableError } from "./errors.ts";

/** What publishing needs of a connection. */
export interface PublishingConnection {
  /** Hands the message over; throws if the connection is closed. */
  publish(subject: string, payload: Uint8Array): void;
  /** Sends all that was handed over, and a PING behind it. */
  ping(): void;
}

/** What was published in one turn, and by which time the server must have accepted it. */
interface Batch {
  readonly deadline: number;
  readonly subjects: Map<string, PromiseWithResolvers<undefined>>;
  bytes: number;
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
  #waitingBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;

  constructor(connection: PublishingConnection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** Hands `payload` over before it returns; resolves when the server has accepted it. */
  publish(subject: string, payload: Uint8Array): Promise<undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waitingBytes > MAXIMUM_WAITING_BYTES) return Promise.reject(tooSlow());
    const batch = this.#open ??= this.#openBatch();
    let accepted = batch.subjects.get(subject);
    if (accepted === undefined) {
      accepted = withResolvers<undefined>();
      batch.subjects.set(subject, accepted);
    }
    const bytes = waitingBytes(subject, payload);
    batch.bytes += bytes;
    this.#waitingBytes += bytes;
    try {
      this.#connection.publish(subject, payload);
    } catch (cause) {
      // What else this turn published there has not left either: the connection is closed.
      accepted.reject(new BackplaneUnavailableError("Cannot publish: NATS is away", { cause }));
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

  /**
   * A PONG was read: all of the oldest batch that was not denied has been accepted. To be called in
   * the same turn, as the next line that is read may be a refusal of what follows.
   */
  accepted(): void {
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    this.#waitingBytes -= batch.bytes;
    for (const { resolve } of batch.subjects.values()) resolve(undefined);
  }

  /** The connection is gone: what was not accepted is rejected with `error`, and all that follows. */
  fail(error: Error): void {
    this.#failure ??= error;
    clearTimeout(this.#timer);
    for (const batch of this.#batches.splice(0)) this.#reject(batch, error);
  }

  #openBatch(): Batch {
    const batch: Batch = {
      deadline: performance.now() + this.#timeout,
      subjects: new Map(),
      bytes: 0,
    };
    this.#batches.push(batch);
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    // Ahead of the client's own flush, which it asks for at the first publish: one write for all.
    queueMicrotask(() => {
      this.#open = undefined;
      this.#connection.ping();
    });
    return batch;
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

function tooSlow(): BackplaneUnavailableError {
  return new BackplaneUnavailableError(
    `Cannot publish: more than ${MAXIMUM_WAITING_BYTES} bytes wait for NATS to accept them`,
  );
}
