import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Redis } from "ioredis";

type Stream = Redis["stream"];

/** A bus that has answered sooner than this, in milliseconds, is near enough to wait for. */
const NEAR = 1;

/**
 * What ioredis writes a client's commands to, in the place of its socket: several leave as one write.
 * The system call is what sending costs, here and in Redis.
 *
 * - **Adaptive**: a command leaves at once while no answer is awaited. What follows meanwhile leaves
 *   together when the answers are there (Nagle's algorithm), or, so that a bus far away does not delay
 *   messages by its distance, at the end of the turn.
 * - **Order**: whatever else is sent through the same client must {@link flush} before it, because the
 *   answers come in the order of the commands.
 */
export class RedisBatch {
  /** How ioredis tells it from a socket. */
  readonly isPipeline = true;
  readonly destination: { readonly redis: { readonly stream: Stream } };
  /** What the commands that Redis has not answered take, here, in the socket and in the client's queue. */
  waitingBytes = 0;
  readonly #stream: Stream;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Commands that the socket has, and Redis has not answered. */
  #unanswered = 0;
  /** When the first of them was written. */
  #writtenAt = 0;
  /** The least that answers have taken so far: what the distance is. */
  #distance = Infinity;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.destination = { redis: { stream } };
  }

  /** Takes the bytes of a command. */
  write(chunk: string | Buffer): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    const waiting = this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#unanswered === 0) this.flush();
    else if (waiting === 1 && this.#distance > NEAR) setImmediate(this.#turnEnded);
  }

  /** A command that was written has its answer, or never will have. */
  answered(): void {
    if (--this.#unanswered > 0) return;
    this.#distance = Math.min(this.#distance, performance.now() - this.#writtenAt);
    this.flush();
  }

  /** Hands what waits to the socket. A socket that has ended takes nothing; its commands have failed. */
  flush(): void {
    const [first] = this.#chunks;
    if (first === undefined) return;
    if (this.#unanswered === 0) this.#writtenAt = performance.now();
    this.#unanswered += this.#chunks.length;
    const all = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#stream.writable) this.#stream.write(all);
  }

  readonly #turnEnded = (): void => this.flush();
}
