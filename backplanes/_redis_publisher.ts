import { Buffer } from "node:buffer";
import { Command, type Redis } from "ioredis";
import { RedisBatch } from "./_redis_batch.ts";
import { BackplaneError, BackplaneUnavailableError } from "./errors.ts";
import { isIncurable, isReply, withoutSecrets } from "./_redis_errors.ts";

/** What Redis takes in one message, in bytes (its `proto-max-bulk-len`). */
const MAXIMUM_PAYLOAD_BYTES = 512 * 1024 * 1024;
/** How much may wait for a bus that does not keep up, in bytes. */
const MAXIMUM_UNSENT_BYTES = 64 * 1024 * 1024;
/** From how many settled entries on the queue is shortened. */
const TRIM = 1024;

/** A PUBLISH that is written as it is, without the detours of a command with any arguments. */
class Publish extends Command {
  readonly deadline: number;
  settled = false;
  readonly #channel: string;
  readonly #payload: Uint8Array;

  constructor(channel: string, payload: Uint8Array, deadline: number) {
    super("publish", [channel]);
    this.#channel = channel;
    this.#payload = payload;
    this.deadline = deadline;
  }

  /** A copy: the payload is the caller's again. */
  override toWritable(): Buffer {
    const channel = this.#channel;
    const payload = this.#payload;
    const head = `*3\r\n$7\r\npublish\r\n$${
      Buffer.byteLength(channel)
    }\r\n${channel}\r\n$${payload.length}\r\n`;
    const bytes = Buffer.allocUnsafe(head.length * 3 + payload.length + 2);
    let at = bytes.write(head);
    bytes.set(payload, at);
    at += payload.length;
    bytes[at++] = 0x0d;
    bytes[at++] = 0x0a;
    return bytes.subarray(0, at);
  }
}

/**
 * Publishes through a client and bounds every wait.
 *
 * - **Joining**: the messages of one turn leave as one write, see {@link RedisBatch}. That costs half
 *   as much as ioredis's auto-pipelining, which also lets a message wait for the answers to those before.
 * - **Deadline**: one timer for all. They answer in order, so it looks at the oldest.
 */
export class RedisPublisher {
  readonly #timeout: number;
  /** In call order; those before `#oldest` are settled. */
  readonly #pending: Publish[] = [];
  #oldest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the client that was used last. */
  #batch: RedisBatch | undefined;

  constructor(publishTimeout: number) {
    this.#timeout = publishTimeout;
  }

  /** As {@link Backplane.publish}, on the channel as it is on the wire. */
  publish(redis: Redis, channel: string, payload: Uint8Array): Promise<number> {
    if (payload.length > MAXIMUM_PAYLOAD_BYTES) return Promise.reject(tooLarge(payload));
    const batch = this.#batchFor(redis);
    if (batch.unsentBytes > MAXIMUM_UNSENT_BYTES) return Promise.reject(tooSlow());
    const command = new Publish(channel, payload, performance.now() + this.#timeout);
    this.#pending.push(command);
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    redis.sendCommand(command, batch);
    return command.promise.then(
      (count) => {
        this.#settle(command);
        return Number(count);
      },
      (error) => {
        this.#settle(command);
        throw described(error);
      },
    );
  }

  /** To be called before anything else is sent through the same client. */
  flush(): void {
    this.#batch?.flush();
  }

  /** Rejects everything that waits with `error`. */
  close(error: Error): void {
    clearTimeout(this.#timer);
    for (const command of this.#pending) command.reject(error);
    this.#pending.length = this.#oldest = 0;
  }

  #batchFor({ stream }: Redis): RedisBatch {
    if (this.#batch?.destination.redis.stream === stream) return this.#batch;
    return this.#batch = new RedisBatch(stream);
  }

  #settle(command: Publish): void {
    command.settled = true;
    while (this.#pending[this.#oldest]?.settled) this.#oldest++;
    if (this.#oldest < this.#pending.length && this.#oldest < TRIM) return;
    this.#pending.splice(0, this.#oldest);
    this.#oldest = 0;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (let index = this.#oldest; index < this.#pending.length; index++) {
      const command = this.#pending[index];
      if (command === undefined || command.settled) continue;
      if (command.deadline > now) {
        this.#timer = setTimeout(this.#sweep, command.deadline - now);
        return;
      }
      command.reject(
        new BackplaneUnavailableError(`Cannot publish: no answer within ${this.#timeout} ms`),
      );
    }
  };
}

function described(error: unknown): Error {
  if (error instanceof BackplaneError) return error;
  const cause = withoutSecrets(error);
  const message = `Cannot publish: ${isReply(error) ? cause.message : "the connection was lost"}`;
  return isIncurable(error)
    ? new BackplaneError(message, { cause })
    : new BackplaneUnavailableError(message, { cause });
}

function tooLarge(payload: Uint8Array): RangeError {
  return new RangeError(
    `Cannot publish: the payload of ${payload.length} bytes is over ${MAXIMUM_PAYLOAD_BYTES}`,
  );
}

function tooSlow(): BackplaneUnavailableError {
  return new BackplaneUnavailableError(
    `Cannot publish: more than ${MAXIMUM_UNSENT_BYTES} bytes wait to be sent`,
  );
}
