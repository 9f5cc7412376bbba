const NOTHING = new Uint8Array();
/** The smallest room that is made when a chunk must be copied, in bytes. */
const LEAST_ROOM = 64;

/**
 * Bytes in the order they came, as one piece. Small and empty chunks cost at most twice their bytes of
 * memory, and time in proportion to their bytes.
 *
 * Views that were given out never change: room is filled only behind them, and never used twice.
 */
export class ByteQueue {
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;

  /** The number of bytes. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The byte at `index`, or `undefined` if that byte has not come. */
  at(index: number): number | undefined {
    return index < this.length ? this.#bytes[this.#start + index] : undefined;
  }

  /** The index of the first `byte` at or behind `from`, or -1. */
  indexOf(byte: number, from: number): number {
    return this.#bytes.subarray(this.#start, this.#end).indexOf(byte, from);
  }

  /** Adds a chunk, which must not be changed any more. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.length === 0) {
      // Nearly always a chunk holds complete messages: it is not copied.
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Takes the first `count` bytes, which must be there: a view. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#start + count);
    this.#start += count;
    // An idle connection keeps no bytes that it has read.
    if (this.#start === this.#end) this.#forget();
    return taken;
  }

  /** Forgets all but the first `count` bytes. */
  keep(count: number): void {
    if (count === 0) return this.#forget();
    this.#end = this.#start + count;
    // The room behind belongs to the maker of the chunk.
    this.#bytes = this.#bytes.subarray(0, this.#end);
  }

  #forget(): void {
    this.#bytes = NOTHING;
    this.#start = this.#end = 0;
  }

  #makeRoom(more: number): void {
    const room = new Uint8Array(Math.max(LEAST_ROOM, 2 * (this.length + more)));
    room.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = room;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
