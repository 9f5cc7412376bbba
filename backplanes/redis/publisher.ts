import { Buffer } from "node:buffer";
import type { Command, Redis } from "ioredis";
import { JoinedCommands } from "./joined_commands.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { isIncurable, isReply, withoutSecrets } from "./errors.ts";
import { MAXIMUM_WAITING_BYTES, tooSlow, waitingBytes } from "../driver/waiting.ts";

/** The largest message that Redis takes, in bytes (its `proto-max-bulk-len`). */
const MAXIMUM_PAYLOAD_BYTES = 512 * 1024 * 1024;
/** From how many settled entries on the queue is shortened. */
const TRIM = 1024;
const NOTHING = new Uint8Array();

/**
 * A PUBLISH, with what ioredis uses of a command: its own class takes any command, and makes two
 * promises and five functions for each.
 */
class Publish {
  readonly name = "publish";
  readonly args: readonly [channel: string];
  /** ioredis must not trace it. */
  readonly isTraced = true;
  readonly promise: Promise<number>;
  readonly deadline: number;
  settled = false;
  #payload: Uint8Array;
  readonly #commands: JoinedCommands;
  /** The bytes that it counts for while it waits. */
  readonly #bytes: number;
  #resolve!: (count: number) => void;
  #reject!: (error: Error) => void;
  #written = false;

  constructor(channel: string, payload: Uint8Array, deadline: number, commands: JoinedCommands) {
    this.args = [channel];
    this.#payload = payload;
    this.deadline = deadline;
    this.#commands = commands;
    this.#bytes = waitingBytes(channel, payload);
    commands.waitingBytes += this.#bytes;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Its bytes, a copy: the payload is the caller's again. */
  toWritable(): Buffer {
    this.#written = true;
    const [channel] = this.args;
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
    this.#payload = NOTHING;
    return bytes.subarray(0, at);
  }

  /** Redis has answered. */
  resolve(count: unknown): void {
    this.settled = true;
    this.#resolve(Number(count));
    this.#commands.waitingBytes -= this.#bytes;
    this.#commands.answered();
  }

  /** Redis has refused, or the client says that it never will answer. */
  reject(error: unknown): void {
    this.fail(described(error));
    this.#commands.waitingBytes -= this.#bytes;
    if (this.#written) this.#commands.answered();
  }

  /** Rejects its promise. The client still waits for the answer, so its bytes still count. */
  fail(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }

  /** For a client with a `commandTimeout`: it has its deadline. */
  setTimeout(): void {}
}

/**
 * Publishes through a client and bounds every wait.
 *
 * - **Joining**: messages of one turn, and those that come while answers are awaited, leave as one write;
 *   see {@link JoinedCommands}.
 * - **Deadline**: one timer for all. They answer in order, so it looks at the oldest.
 */
export class RedisPublisher {
  readonly #timeout: number;
  /** In call order; those before `#oldest` are settled. */
  readonly #pending: Publish[] = [];
  #oldest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the client that was used last. */
  #commands: JoinedCommands | undefined;

  constructor(publishTimeout: number) {
    this.#timeout = publishTimeout;
  }

  /** As {@link Backplane.publish}, on the channel as it is on the wire. */
  publish(redis: Redis, channel: string, payload: Uint8Array): Promise<number> {
    if (payload.length > MAXIMUM_PAYLOAD_BYTES) return Promise.reject(tooLarge(payload));
    const commands = this.#commandsFor(redis);
    if (commands.waitingBytes > MAXIMUM_WAITING_BYTES) return Promise.reject(tooSlow("Redis"));
    this.#trim();
    const command = new Publish(channel, payload, performance.now() + this.#timeout, commands);
    this.#pending.push(command);
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    redis.sendCommand(command as unknown as Command, commands);
    return command.promise;
  }

  /** To be called before anything else is sent through the same client. */
  flush(): void {
    this.#commands?.flush();
  }

  /** Rejects everything that waits with `error`. */
  close(error: Error): void {
    clearTimeout(this.#timer);
    for (const command of this.#pending) command.fail(error);
    this.#pending.length = this.#oldest = 0;
  }

  #commandsFor({ stream }: Redis): JoinedCommands {
    if (this.#commands?.destination.redis.stream === stream) return this.#commands;
    return this.#commands = new JoinedCommands(stream);
  }

  /** Forgets those that are settled. */
  #trim(): void {
    while (this.#pending[this.#oldest]?.settled) this.#oldest++;
    if (this.#oldest < this.#pending.length && this.#oldest < TRIM) return;
    this.#pending.splice(0, this.#oldest);
    this.#oldest = 0;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    this.#trim();
    const now = performance.now();
    for (let index = this.#oldest; index < this.#pending.length; index++) {
      const command = this.#pending[index];
      if (command === undefined || command.settled) continue;
      if (command.deadline > now) {
        this.#timer = setTimeout(this.#sweep, command.deadline - now);
        return;
      }
      command.fail(
        new BackplaneUnavailableError(`Cannot publish: no answer within ${this.#timeout} ms`),
      );
    }
  };
}

function described(error: unknown): Error {
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
