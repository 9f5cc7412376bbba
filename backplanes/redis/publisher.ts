import { Buffer } from "node:buffer";
import type { Command, Redis } from "ioredis";
import { JoinedCommands } from "./joined_commands.ts";
import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { isIncurable, isReply, withoutSecrets } from "./errors.ts";
import type { Settleable } from "../driver/settlements.ts";
import { MAXIMUM_WAITING_BYTES, tooSlow, waitingBytes } from "../driver/waiting.ts";

/** The largest message that Redis takes, in bytes (its `proto-max-bulk-len`). */
const MAXIMUM_PAYLOAD_BYTES = 512 * 1024 * 1024;
/** The queue is shortened when it begins with this many settled publishes. */
const TRIM = 1024;
const NOTHING = Buffer.alloc(0);
/** The bytes of a command beside its channel and its payload, at most. */
const HEAD_BYTES = 64;

/**
 * A PUBLISH with the members of a command that ioredis uses. The class of ioredis takes any command,
 * and makes two promises and five functions for each.
 */
class Publish implements Settleable {
  readonly name = "publish";
  readonly args: readonly [channel: string];
  /** ioredis must not trace it. */
  readonly isTraced = true;
  readonly promise: Promise<number>;
  readonly deadline: number;
  settled = false;
  #payload: Uint8Array;
  readonly #commands: JoinedCommands;
  /** The bytes that the publish is counted with while it waits. */
  readonly #bytes: number;
  #resolve!: (count: number) => void;
  #reject!: (error: Error) => void;
  #written = false;
  /** How many subscribers Redis has counted. */
  #count = 0;

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

  /** Writes the command: the caller may change the payload from now on. */
  toWritable(): Buffer {
    const [channel] = this.args;
    const payload = this.#payload;
    const memory = this.#commands.room(HEAD_BYTES + 3 * channel.length + payload.length);
    const start = this.#commands.end;
    const end = writeAscii(head(channel, channel.length, payload), memory, start);
    let at = end ?? start + memory.write(head(channel, Buffer.byteLength(channel), payload), start);
    memory.set(payload, at);
    at += payload.length;
    memory[at++] = 0x0d;
    memory[at++] = 0x0a;
    this.#payload = NOTHING;
    this.#written = true;
    this.#commands.queue(at);
    return NOTHING;
  }

  /** Redis has answered. */
  resolve(count: unknown): void {
    this.settled = true;
    this.#count = Number(count);
    this.#commands.waitingBytes -= this.#bytes;
    this.#commands.settlements.add(this);
    this.#commands.answered();
  }

  settle(): void {
    this.#resolve(this.#count);
  }

  /** Redis has refused the command, or the connection was lost before the answer. */
  reject(error: unknown): void {
    this.fail(described(error));
    this.#commands.waitingBytes -= this.#bytes;
    if (this.#written) this.#commands.answered();
  }

  /** Rejects the promise. The client still waits for the answer, so the command's bytes still count. */
  fail(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }

  /** ioredis calls this if the client has a `commandTimeout`; a publish has its own deadline. */
  setTimeout(): void {}
}

/**
 * Publishes through a client and bounds every wait.
 *
 * - **Joining**: messages of one turn, and messages published while answers are awaited, leave as one
 *   write; see {@link JoinedCommands}.
 * - **Deadline**: all publishes share a timer. Redis answers in order, so it looks at the oldest.
 */
export class RedisPublisher {
  readonly #timeout: number;
  /** In call order; the publishes before `#oldest` are settled. */
  readonly #pending: Publish[] = [];
  #oldest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The commands of the client that was used last. */
  #commands: JoinedCommands | undefined;

  constructor(publishTimeout: number) {
    this.#timeout = publishTimeout;
  }

  /** As {@link Backplane.publish}; `channel` is the name on the wire, with the prefix. */
  publish(redis: Redis, channel: string, payload: Uint8Array): Promise<number> {
    if (payload.length > MAXIMUM_PAYLOAD_BYTES) return Promise.reject(tooLarge(payload));
    const commands = this.#commandsFor(redis);
    if (commands.waitingBytes > MAXIMUM_WAITING_BYTES) return Promise.reject(tooSlow("Redis"));
    this.#trim();
    const command = new Publish(channel, payload, performance.now() + this.#timeout, commands);
    this.#pending.push(command);
    this.#timer ??= setTimeout(this.#sweep, this.#timeout);
    try {
      redis.sendCommand(command as unknown as Command, commands);
    } catch (error) {
      // There may be no memory for the copy.
      command.reject(error);
    }
    return command.promise;
  }

  /** Writes the queued publishes; must come before any other command of the same client. */
  flush(): void {
    this.#commands?.flush();
  }

  /** Rejects every waiting publish with `error`. */
  close(error: Error): void {
    clearTimeout(this.#timer);
    for (const command of this.#pending) command.fail(error);
    this.#pending.length = this.#oldest = 0;
  }

  #commandsFor({ stream }: Redis): JoinedCommands {
    if (this.#commands?.destination.redis.stream === stream) return this.#commands;
    return this.#commands = new JoinedCommands(stream);
  }

  /** Forgets the settled publishes at the front. */
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
    // All share an error: to make thousands of them takes a second.
    let error: Error | undefined;
    for (let index = this.#oldest; index < this.#pending.length; index++) {
      const command = this.#pending[index];
      if (command === undefined || command.settled) continue;
      if (command.deadline > now) {
        this.#timer = setTimeout(this.#sweep, command.deadline - now);
        return;
      }
      command.fail(
        error ??= new BackplaneUnavailableError(
          `Cannot publish: no answer within ${this.#timeout} ms`,
        ),
      );
    }
  };
}

/** The bytes of a PUBLISH before its payload. */
function head(channel: string, channelBytes: number, payload: Uint8Array): string {
  return `*3\r\n$7\r\npublish\r\n$${channelBytes}\r\n${channel}\r\n$${payload.length}\r\n`;
}

/** Writes a text, and returns where it ends; `undefined` if it is not ASCII. To call the encoder costs more. */
function writeAscii(text: string, memory: Uint8Array, start: number): number | undefined {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return undefined;
    memory[start + index] = unit;
  }
  return start + text.length;
}

/** The errors that were made of errors of ioredis, which gives one to all commands of a connection. */
const descriptions = new WeakMap<Error, Error>();

function described(error: unknown): Error {
  if (error instanceof RangeError) return error;
  const known = error instanceof Error ? descriptions.get(error) : undefined;
  if (known !== undefined) return known;
  const cause = withoutSecrets(error);
  const message = `Cannot publish: ${isReply(error) ? cause.message : "the connection was lost"}`;
  const description = isIncurable(error)
    ? new BackplaneError(message, { cause })
    : new BackplaneUnavailableError(message, { cause });
  if (error instanceof Error) descriptions.set(error, description);
  return description;
}

function tooLarge(payload: Uint8Array): RangeError {
  return new RangeError(
    `Cannot publish: the payload of ${payload.length} bytes is over ${MAXIMUM_PAYLOAD_BYTES}`,
  );
}
