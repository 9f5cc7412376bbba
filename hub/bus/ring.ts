import {
  Block,
  LARGEST_BLOCK,
  type RingEntry,
  type SentChannel,
  SMALLEST_BLOCK,
} from "./ring_block.ts";

export type { RingEntry, SentChannel } from "./ring_block.ts";

/** For how long a message is kept, in milliseconds. */
const KEPT = 30_000;
/** How many messages are remembered, with their payloads or without. */
const MAXIMUM_ENTRIES = 65_536;

/**
 * What this node has published lately on the channels of one hub: copies of the payloads, at most
 * so many bytes and for 30 s, and who followed whom on each channel for longer.
 */
export class Ring {
  readonly #maximumBytes: number;
  readonly #forgotten: (channel: SentChannel, number: number) => void;
  /** The oldest comes first; their numbers have no holes. */
  #blocks: Block[] = [];
  #bytes = 0;
  /** The number after the last one. */
  #next = 1;
  /** From this number on each message is known, and from this one on each payload. */
  #from = 1;
  #payloadsFrom = 1;
  #forgottenAt = -Infinity;
  /** The messages that the bus has refused. */
  readonly #refused = new Set<number>();

  /** `forgotten` gets each message that the ring knows no longer. */
  constructor(maximumBytes: number, forgotten: (channel: SentChannel, number: number) => void) {
    this.#maximumBytes = maximumBytes;
    this.#forgotten = forgotten;
  }

  /** From this number on each message is known. */
  get from(): number {
    return this.#from;
  }

  /** From this number on each payload is kept. */
  get payloadsFrom(): number {
    return this.#payloadsFrom;
  }

  /** When the last message before {@link from} was handed over. */
  get forgottenAt(): number {
    return this.#forgottenAt;
  }

  /** Keeps the message with the next number; `payload` is copied. */
  add(channel: SentChannel, back: number, payload: Uint8Array, now: number): void {
    const last = this.#blocks.at(-1);
    const block = last?.hasRoom(payload.length) ? last : this.#newBlock(payload.length, last, now);
    block.add(channel, back, payload, now);
    this.#next++;
    // A message that is larger than the ring is known, and not kept.
    if (block.bytes === undefined) this.#payloadsFrom = this.#next;
  }

  /** The bus has refused a message: nobody is to have it. */
  refuse(number: number): void {
    if (number >= this.#from && number < this.#next) this.#refused.add(number);
  }

  /** The message with that number, if it is known. */
  entry(number: number): RingEntry | undefined {
    const block = this.#blockOf(number);
    return block?.entry(number - block.first);
  }

  /** The payload with that number, a view; `undefined` if it is not kept, or was refused. */
  payload(number: number): Uint8Array | undefined {
    const block = number >= this.#payloadsFrom ? this.#blockOf(number) : undefined;
    if (block?.bytes === undefined || this.#refused.has(number)) return undefined;
    block.read = true;
    return block.payload(number - block.first);
  }

  /** The messages after a number that are the last of their channels, in their order. */
  *latest(number: number): Generator<RingEntry, void> {
    for (const block of this.#blocks) {
      const first = Math.max(0, number + 1 - block.first);
      for (let index = first; index < block.count; index++) {
        if (block.channels[index]?.last === block.first + index) yield block.entry(index);
      }
    }
  }

  /** The messages of a channel after a number, in their order. */
  *of(channel: SentChannel, number: number): Generator<RingEntry, void> {
    for (const block of this.#blocks) {
      const first = Math.max(0, number + 1 - block.first);
      for (let index = first; index < block.count; index++) {
        if (block.channels[index] === channel) yield block.entry(index);
      }
    }
  }

  /** Forgets what is too old. */
  trim(now: number): void {
    for (const block of this.#blocks) {
      if (block.bytes === undefined) continue;
      if ((block.lastAt ?? now) >= now - KEPT) return;
      this.#release(block);
    }
  }

  /** Forgets everything: `next` is the number of the next message. */
  clear(next: number, now: number): void {
    while (this.#blocks.length > 0) this.#forget();
    this.#next = this.#from = this.#payloadsFrom = next;
    this.#forgottenAt = now;
  }

  /** A block with room for so many bytes, behind the last one. */
  #newBlock(bytes: number, last: Block | undefined, now: number): Block {
    this.trim(now);
    const size = Math.max(bytes, this.#blockSize(last));
    // Memory that is new costs more than to fill it.
    let spare: Uint8Array | undefined;
    for (const block of this.#blocks) {
      if (this.#bytes + size <= this.#maximumBytes) break;
      if (block.bytes?.length === size && !block.read) spare = block.bytes;
      this.#release(block);
    }
    const kept = size <= this.#maximumBytes;
    if (kept) this.#bytes += size;
    else if (last !== undefined && !last.full) {
      // What is not kept needs no block of its own.
      this.#release(last);
      return last;
    }
    let old: Block | undefined;
    while (this.#next - this.#from >= MAXIMUM_ENTRIES) old = this.#forget();
    const bytesOfBlock = kept ? spare ?? new Uint8Array(size) : undefined;
    const block = new Block(this.#next, size, bytesOfBlock, old);
    this.#blocks.push(block);
    return block;
  }

  /** Blocks grow while messages come fast: a quiet hub keeps one small block. */
  #blockSize(last: Block | undefined): number {
    const size = last?.bytes === undefined ? SMALLEST_BLOCK : 2 * last.bytes.length;
    return Math.min(size, LARGEST_BLOCK, Math.max(1, this.#maximumBytes >> 3));
  }

  #release(block: Block): void {
    this.#bytes -= block.bytes?.length ?? 0;
    block.bytes = undefined;
    this.#payloadsFrom = Math.max(this.#payloadsFrom, block.first + block.count);
  }

  /** Forgets the oldest block; returns it. */
  #forget(): Block | undefined {
    const block = this.#blocks.shift();
    if (block === undefined) return undefined;
    this.#release(block);
    this.#from = block.first + block.count;
    this.#forgottenAt = block.lastAt ?? this.#forgottenAt;
    for (let index = 0; index < block.count; index++) {
      if (this.#refused.size > 0) this.#refused.delete(block.first + index);
      const channel = block.channels[index];
      if (channel !== undefined) this.#forgotten(channel, block.first + index);
    }
    return block;
  }

  #blockOf(number: number): Block | undefined {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle];
      if (block === undefined || number < block.first) high = middle - 1;
      else if (number < block.first + block.count) return block;
      else low = middle + 1;
    }
    return undefined;
  }
}
