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

/** What a block notes of each message, in this order: its `back`, its time, and where its payload ends. */
const FACTS = 3;

/** Neighbouring messages. All lists have room for each that the block may have. */
export class Block {
  readonly first: number;
  count = 0;
  /** Where the last payload ends. */
  end = 0;
  readonly facts: Float64Array;
  readonly channels: SentChannel[];
  bytes: Uint8Array | undefined;
  /** Whether somebody may still read the bytes after the ring has released them. */
  read = false;

  /** A block for `size` bytes of payloads; takes the lists of `old`, if they have its size. */
  constructor(first: number, size: number, bytes: Uint8Array | undefined, old?: Block) {
    const kept = Math.max(SMALLEST_BLOCK, Math.min(size, LARGEST_BLOCK));
    const room = FACTS * Math.ceil(kept / BYTES_AN_ENTRY);
    const lists = old?.facts.length === room ? old : undefined;
    this.first = first;
    this.facts = lists?.facts ?? new Float64Array(room);
    this.channels = lists?.channels ?? [];
    this.bytes = bytes;
  }

  get full(): boolean {
    return FACTS * this.count === this.facts.length;
  }

  /** Whether a payload of so many bytes can be kept. */
  hasRoom(bytes: number): boolean {
    return this.bytes !== undefined && this.end + bytes <= this.bytes.length && !this.full;
  }

  /** When its last message was handed over. */
  get lastAt(): number | undefined {
    return this.facts[FACTS * this.count - 2];
  }

  /** Adds a message, for which there is room; copies the payload if payloads are kept. */
  add(channel: SentChannel, back: number, payload: Uint8Array, now: number): void {
    const index = this.count++;
    this.bytes?.set(payload, this.end);
    this.end += payload.length;
    const at = FACTS * index;
    this.facts[at] = back;
    this.facts[at + 1] = now;
    this.facts[at + 2] = this.end;
    this.channels[index] = channel;
  }

  /** The payload of a message: a view; `undefined` if payloads are not kept. */
  payload(index: number): Uint8Array | undefined {
    return this.bytes?.subarray(this.facts[FACTS * index - 1] ?? 0, this.facts[FACTS * index + 2]);
  }

  /** The message of that index. */
  entry(index: number): RingEntry {
    const channel = this.channels[index];
    const back = this.facts[FACTS * index];
    const at = this.facts[FACTS * index + 1];
    if (channel === undefined || back === undefined || at === undefined) {
      throw new RangeError("Cannot read ring: no such message");
    }
    return { number: this.first + index, channel, back, at };
  }
}
