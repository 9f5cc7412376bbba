import { Buffer } from "node:buffer";
import type { Redis } from "ioredis";
import { WriteCoalescer } from "../driver/write_coalescer.ts";

type Stream = Redis["stream"];

/**
 * Takes the commands that ioredis writes, in place of the client's socket, and joins them into fewer
 * writes; see {@link WriteCoalescer}.
 *
 * **Order**: {@link flush} must come before any other command of the same client, because the answers
 * come in the order of the commands.
 */
export class JoinedCommands {
  /** Tells ioredis that this is not a socket. */
  readonly isPipeline = true;
  readonly destination: { readonly redis: { readonly stream: Stream } };
  /** The bytes of unanswered commands: here, in the socket and in the client's queue. */
  waitingBytes = 0;
  readonly #stream: Stream;
  readonly #coalescer = new WriteCoalescer(() => this.flush());
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.destination = { redis: { stream } };
  }

  /** Takes the bytes of a command. */
  write(chunk: string | Buffer): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#coalescer.queued();
  }

  /** A written command has its answer, or will never have one. */
  answered(): void {
    this.#coalescer.acknowledged();
  }

  /** Writes the queued commands. A socket that has ended takes nothing; its commands have failed. */
  flush(): void {
    const [first] = this.#chunks;
    if (first === undefined) return;
    this.#coalescer.flushed(this.#chunks.length);
    const all = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#stream.writable) this.#stream.write(all);
  }
}
