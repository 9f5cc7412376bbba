/** The publishes that a NATS server has not yet accepted. */
import { Buffer } from "node:buffer";
import { WriteCoalescer } from "../driver/write_coalescer.ts";
import { MAXIMUM_WAITING_BYTES, tooSlow, waitingBytes } from "../driver/waiting.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";

/** The longest that a batch takes more, in milliseconds: all in it have one deadline. */
const LONGEST_OPEN = 50;

/** The part of a connection that publishing uses. */
export interface PublishingConnection {
  /** Hands the message over, to keep it; throws if the connection is closed. */
  publish(subject: string, payload: Uint8Array): void;
  /** Sends all that was handed over, and a PING behind it. */
  ping(): void;
}

/** Publishes that are sent together, with one PING behind them. */
interface PublishBatch {
  /** Its deadline is counted from then on. */
  readonly openedAt: number;
  readonly subjects: Map<string, PromiseWithResolvers<undefined>>;
  /** Messages that are not sent yet. */
  messages: (readonly [subject: string, payload: Uint8Array])[];
  bytes: number;
}

/**
 * Publishes and waits for acceptance.
 *
 * - **Accepted** is what was sent before a PING that the server has answered: it works through what
 *   a connection sends in order.
 * - **One PING, one write** for what is published in one go, and for what {@link WriteCoalescer} lets wait; one
 *   promise for all of it on one channel.
 * - **One timer** for all of them, armed at most once in `timeout`.
 */
export class Publishes {
  readonly #connection: PublishingConnection;
  readonly #timeout: number;
  readonly #coalescer = new WriteCoalescer(() => this.flush());
  /** Batches that were sent, oldest first, in the order of their PONGs. */
  readonly #batches: PublishBatch[] = [];
  /** Publishes that are not sent yet. */
  #open: PublishBatch | undefined;
  #waitingBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;

  constructor(connection: PublishingConnection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** Takes a copy of `payload`; resolves when the server has accepted it. */
  publish(subject: string, payload: Uint8Array): Promise<undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waitingBytes > MAXIMUM_WAITING_BYTES) return Promise.reject(tooSlow("NATS"));
    const now = performance.now();
    const longest = Math.min(LONGEST_OPEN, this.#timeout / 2);
    if (this.#open !== undefined && now >= this.#open.openedAt + longest) this.flush();
    const batch = this.#open ??= this.#openBatch(now);
    let accepted = batch.subjects.get(subject);
    if (accepted === undefined) {
      accepted = Promise.withResolvers<undefined>();
      batch.subjects.set(subject, accepted);
    }
    const bytes = waitingBytes(subject, payload);
    batch.bytes += bytes;
    this.#waitingBytes += bytes;
    // A small Buffer is a cheap copy.
    batch.messages.push([subject, Buffer.from(payload)]);
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
    this.#coalescer.acknowledged();
  }

  /** Sends what waits to be sent. */
  flush(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    this.#batches.push(batch);
    this.#coalescer.flushed(1);
    for (const [subject, payload] of batch.messages) {
      try {
        this.#connection.publish(subject, payload);
      } catch (cause) {
        const error = new BackplaneUnavailableError("Cannot publish: NATS is away", { cause });
        batch.subjects.get(subject)?.reject(error);
      }
    }
    batch.messages = [];
    // Always: each batch has its PONG.
    this.#connection.ping();
  }

  /** The connection is gone: what was not accepted is rejected with `error`, and all that follows. */
  fail(error: Error): void {
    this.#failure ??= error;
    clearTimeout(this.#timer);
    for (const batch of this.#unsettled()) this.#reject(batch, error);
    this.#batches.length = 0;
    this.#open = undefined;
  }

  #openBatch(now: number): PublishBatch {
    const batch: PublishBatch = {
      openedAt: now,
      subjects: new Map(),
      messages: [],
      bytes: 0,
    };
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    this.#coalescer.queued();
    return batch;
  }

  /** Oldest first. */
  #unsettled(): PublishBatch[] {
    return this.#open === undefined ? this.#batches : [...this.#batches, this.#open];
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const batch of this.#unsettled()) {
      const left = batch.openedAt + this.#timeout - now;
      if (left > 0) {
        this.#timer = setTimeout(this.#sweep, left);
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

  #reject(batch: PublishBatch, error: Error): void {
    for (const accepted of batch.subjects.values()) accepted.reject(error);
  }
}
