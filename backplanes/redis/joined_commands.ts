import { Buffer } from "node:buffer";
import type { Redis } from "ioredis";
import { Settlements } from "../driver/settlements.ts";
import { WriteCoalescer } from "../driver/write_coalescer.ts";

type Stream = Redis["stream"];

/** The size of the memory that commands are written to, in bytes. */
const SIZE = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Takes the commands that ioredis writes, in place of the client's socket, and joins them into fewer
 * writes; see {@link WriteCoalescer}.
 *
 * - **Order**: {@link flush} must come before any other command of the same client, because the answers
 *   come in the order of the commands.
 * - **Memory**: commands are written side by side, so that a write needs no copy. A socket may keep what it was
 *   given, so the memory is filled from its beginning again when Redis has answered everything.
 */
export class JoinedCommands {
  /** Tells ioredis that this is not a socket. */
  readonly isPipeline = true;
  readonly destination: { readonly redis: { readonly stream: Stream } };
  /** The bytes of unanswered commands: here, in the socket and in the client's queue. */
  waitingBytes = 0;
  /** Tells the answers. */
  readonly settlements: Settlements = new Settlements();
  readonly #stream: Stream;
  readonly #coalescer = new WriteCoalescer(() => this.flush());
  #memory = NOTHING;
  /** Where the queued commands begin and end. */
  #start = 0;
  #end = 0;
  #queued = 0;
  #unanswered = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.destination = { redis: { stream } };
  }

  /** Memory with room for so many bytes behind {@link end}, where the next command is to be written. */
  room(bytes: number): Buffer {
    const waiting = this.#end - this.#start;
    if (waiting === 0 && this.#unanswered === 0) this.#start = this.#end = 0;
    if (this.#memory.length - this.#end >= bytes) return this.#memory;
    const needed = waiting + bytes;
    // A queue that grows is copied a few times only.
    const larger = Buffer.allocUnsafeSlow(needed <= SIZE ? SIZE : Math.max(needed, 2 * waiting));
    this.#memory.copy(larger, 0, this.#start, this.#end);
    this.#memory = larger;
    this.#start = 0;
    this.#end = waiting;
    return larger;
  }

  /** Where the next command begins. */
  get end(): number {
    return this.#end;
  }

  /** A command was written, which ends there. */
  queue(end: number): void {
    this.#end = end;
    this.#queued++;
    this.#coalescer.queued();
  }

  /** ioredis gives the bytes of a command, which were written already. */
  write(): void {}

  /** A written command has its answer, or will never have one. */
  answered(): void {
    this.#unanswered--;
    this.#coalescer.acknowledged();
  }

  /** Writes the queued commands. A socket that has ended takes nothing; its commands have failed. */
  flush(): void {
    if (this.#queued === 0) return;
    this.#coalescer.flushed(this.#queued);
    this.#unanswered += this.#queued;
    const commands = this.#memory.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#queued = 0;
    // What a large command has needed is not kept.
    if (this.#memory.length > SIZE) {
      this.#memory = NOTHING;
      this.#start = this.#end = 0;
    }
    if (this.#stream.writable) this.#stream.write(commands);
  }
}
