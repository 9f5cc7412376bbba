import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Redis } from "ioredis";

type Stream = Redis["stream"];

/**
 * What ioredis writes a client's commands to, in the place of its socket: those of one turn leave as
 * one write. The system call is what sending costs.
 *
 * - **Adaptive**: the first of an idle turn leaves at once; right after a turn with several it waits too.
 * - **Order**: whatever else is sent through the same client must {@link flush} before it, because the
 *   answers come in the order of the commands.
 */
export class RedisBatch {
  /** How ioredis tells it from a socket. */
  readonly isPipeline = true;
  readonly destination: { readonly redis: { readonly stream: Stream } };
  readonly #stream: Stream;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #turn = false;
  /** Whether the turn before had several: this one is likely to, so its first waits for them. */
  #busy = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.destination = { redis: { stream } };
  }

  /** Bytes that wait, here or in the socket. */
  get unsentBytes(): number {
    return this.#bytes + this.#stream.writableLength;
  }

  /** Takes the bytes of a command. */
  write(chunk: string | Buffer): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (!this.#turn) {
      this.#turn = true;
      setImmediate(this.#turnEnded);
      this.#stream.write(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Hands what waits to the socket. A socket that has ended takes nothing; its commands have failed. */
  flush(): void {
    const [first] = this.#chunks;
    if (first === undefined) return;
    const all = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#stream.writable) this.#stream.write(all);
  }

  readonly #turnEnded = (): void => {
    this.#busy = this.#chunks.length > (this.#busy ? 1 : 0);
    this.flush();
    this.#turn = this.#busy;
    if (this.#busy) setImmediate(this.#turnEnded);
  };
}
