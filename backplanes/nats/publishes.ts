/** The publishes that a NATS server has not yet accepted. */
import { Buffer } from "node:buffer";
import { Settlements } from "../driver/settlements.ts";
import { WriteCoalescer } from "../driver/write_coalescer.ts";
import { MAXIMUM_WAITING_BYTES, tooSlow, waitingBytes } from "../driver/waiting.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";

/** How long a batch takes publishes, in milliseconds: all of them have one deadline. */
const LONGEST_OPEN = 50;

/** The part of a connection that publishing uses. */
export interface PublishingConnection {
  /** Hands a message to the client, which keeps the payload; throws if the connection is closed. */
  publish(subject: string, payload: Uint8Array, reply: string | undefined): void;
  /** Sends the messages and a PING behind them. */
  ping(): void;
}

/** The promise of the messages of a batch on one subject; counted messages have one of their own. */
interface Acceptance extends PromiseWithResolvers<number | undefined> {
  /** How many counted messages there are, and how many of them nobody heard. */
  counted?: { sent: number; unheard: number };
}

/** Publishes that are sent together, with one PING behind them. */
interface PublishBatch {
  /** The deadline is counted from this time on. */
  readonly openedAt: number;
  readonly subjects: Map<string, Acceptance>;
  /** The counted messages, by their reply subjects; made for the first of them. */
  replies?: Map<string, Acceptance>;
  /** Messages that are not sent yet. */
  messages: (readonly [subject: string, payload: Uint8Array, reply: string | undefined])[];
  bytes: number;
}

/**
 * Publishes and waits for acceptance.
 *
 * - **Acceptance**: a message is accepted when the server has answered a PING sent after it, because
 *   the server processes the commands of a connection in order.
 * - **Batches**: messages of one turn, and messages that {@link WriteCoalescer} holds back, leave as one
 *   write with one PING. Messages of a batch on one channel share a promise.
 * - **Counts**: the server answers a message that has a reply subject and no subscriber before the PONG.
 *   It never tells how many subscribers there are.
 * - **Deadline**: all batches share a timer, which is set at most once in `timeout`.
 */
export class Publishes {
  readonly #connection: PublishingConnection;
  readonly #timeout: number;
  readonly #coalescer = new WriteCoalescer(() => this.flush());
  readonly #settlements = new Settlements();
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

  /**
   * Takes a copy of `payload`; resolves when the server has accepted it. With a `reply` subject, which
   * must be new, the promise resolves with 0 if nobody heard the message, else with `undefined`.
   */
  publish(subject: string, payload: Uint8Array, reply?: string): Promise<number | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waitingBytes > MAXIMUM_WAITING_BYTES) return Promise.reject(tooSlow("NATS"));
    const now = performance.now();
    const longest = Math.min(LONGEST_OPEN, this.#timeout / 2);
    if (this.#open !== undefined && now >= this.#open.openedAt + longest) this.flush();
    const batch = this.#open ??= this.#openBatch(now);
    const key = reply === undefined ? subject : countedKey(subject);
    let accepted = batch.subjects.get(key);
    if (accepted === undefined) {
      accepted = Promise.withResolvers<number | undefined>();
      batch.subjects.set(key, accepted);
    }
    if (reply !== undefined) count(batch, accepted, reply);
    const bytes = waitingBytes(subject, payload);
    batch.bytes += bytes;
    this.#waitingBytes += bytes;
    // A small Buffer is a cheap copy.
    batch.messages.push([subject, Buffer.from(payload), reply]);
    return accepted.promise;
  }

  /**
   * The server refused a publish on `subject`; returns whether a pending promise was rejected.
   *
   * A server answers in the order it was asked, so this is a publish of the oldest batch.
   */
  denied(subject: string, cause: unknown): boolean {
    const error = new BackplaneError(
      `Cannot publish on the subject ${JSON.stringify(subject)}: NATS does not permit it`,
      { cause },
    );
    let pending = false;
    for (const key of [subject, countedKey(subject)]) {
      const accepted = this.#batches[0]?.subjects.get(key);
      accepted?.reject(error);
      pending ||= accepted !== undefined;
    }
    return pending;
  }

  /** Nobody heard the publish with the subject `reply`, which belongs to the oldest batch. */
  unheard(reply: string): void {
    const counted = this.#batches[0]?.replies?.get(reply)?.counted;
    if (counted !== undefined) counted.unheard++;
  }

  /**
   * A PONG was read: the server has accepted every message of the oldest batch that it did not deny.
   * Must be called in the same turn, because the next line may deny a message of the next batch.
   */
  accepted(): void {
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    this.#waitingBytes -= batch.bytes;
    for (const { resolve, counted } of batch.subjects.values()) {
      const reached = counted !== undefined && counted.unheard === counted.sent ? 0 : undefined;
      this.#settlements.add({ settle: () => resolve(reached) });
    }
    this.#coalescer.acknowledged();
  }

  /** Sends the open batch. */
  flush(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    this.#batches.push(batch);
    this.#coalescer.flushed(1);
    for (const [subject, payload, reply] of batch.messages) {
      try {
        this.#connection.publish(subject, payload, reply);
      } catch (cause) {
        const error = new BackplaneUnavailableError("Cannot publish: NATS is away", { cause });
        const key = reply === undefined ? subject : countedKey(subject);
        batch.subjects.get(key)?.reject(error);
      }
    }
    batch.messages = [];
    // Also after an error: each batch waits for its own PONG.
    this.#connection.ping();
  }

  /** The connection has ended: rejects unaccepted and all later publishes with `error`. */
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
      // The batch still waits for its PONG; settling a promise again has no effect.
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

/** The key of the counted messages on `subject`: no subject has a space. */
function countedKey(subject: string): string {
  return `${subject} `;
}

function count(batch: PublishBatch, accepted: Acceptance, reply: string): void {
  const counted = accepted.counted ??= { sent: 0, unheard: 0 };
  counted.sent++;
  batch.replies ??= new Map();
  batch.replies.set(reply, accepted);
}
