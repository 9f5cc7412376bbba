/** The size of the first block of a ring and of the largest, in bytes. */
export const SMALLEST_BLOCK: number = 16 * 1024;
export const LARGEST_BLOCK: number = 256 * 1024;
/** How many messages a block has at most: one for so many of its bytes. */
const BYTES_AN_ENTRY = 128;

/** A channel on which this node has published lately. */
export interface SentChannel {
  readonly name: string;
  /** The number of the last message on it. */
  last: number;
}

/** A message that was handed to the bus. */
export interface RingEntry {
  readonly number: number;
  readonly channel: SentChannel;
  /** The number of the message before it on the channel; 0 or a lower bound below zero: see `Numbering`. */
  readonly back: number;
  /** When it was handed over. */
  readonly at: number;
}

/** Neighbouring messages. All lists have room for each that the block may have. */
export class Block {
  readonly first: number;
  count = 0;
  readonly backs: Float64Array;
  readonly times: Float64Array;
  readonly channels: SentChannel[];
  /** Where each payload ends in the bytes. */
  readonly ends: Uint32Array;
  bytes: Uint8Array | undefined;
  /** Whether somebody may still read the bytes after the ring has released them. */
  read = false;

  /** A block for `size` bytes of payloads; takes the lists of `old`, if they have its size. */
  constructor(first: number, size: number, bytes: Uint8Array | undefined, old?: Block) {
    const kept = Math.max(SMALLEST_BLOCK, Math.min(size, LARGEST_BLOCK));
    const room = Math.ceil(kept / BYTES_AN_ENTRY);
    const lists = old?.ends.length === room ? old : undefined;
    this.first = first;
    this.backs = lists?.backs ?? new Float64Array(room);
    this.times = lists?.times ?? new Float64Array(room);
    this.channels = lists?.channels ?? [];
    this.ends = lists?.ends ?? new Uint32Array(room);
    this.bytes = bytes;
  }

  get full(): boolean {
    return this.count === this.ends.length;
  }

  /** Where the next payload begins. */
  get end(): number {
    return this.count === 0 ? 0 : this.ends[this.count - 1] ?? 0;
  }

  /** When its last message was handed over. */
  get lastAt(): number | undefined {
    return this.times[this.count - 1];
  }
}

/** A message of a block. */
export function entryOf(block: Block, index: number): RingEntry {
  const channel = block.channels[index];
  const back = block.backs[index];
  const at = block.times[index];
  if (channel === undefined || back === undefined || at === undefined) {
    throw new RangeError("Cannot read ring: no such message");
  }
  return { number: block.first + index, channel, back, at };
}
