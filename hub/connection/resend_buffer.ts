import { Frame, type TextOrBytes } from "../protocol/frame.ts";

/** How far the array may be consumed before it is shortened. */
const TRIM = 256;

/**
 * The frames that a client has not acknowledged yet; it may come back for them on another socket.
 * `specs/signalr-wire.md §12`: messages are counted from 1.
 */
export class ResendBuffer {
  /** The contents, not their frames: a frame also keeps its encoded forms. */
  readonly #kept: ({ readonly content: TextOrBytes; readonly bytes: number } | undefined)[] = [];
  #head = 0;
  /** The number of the first frame that is kept. */
  #first: number;
  #bytes = 0;
  /** The bytes of the largest frame; `undefined` once that frame is acknowledged. */
  #largest: number | undefined = 0;

  /** Keeps `contents` from the beginning; the first of them has the number `first`. */
  constructor(first = 1, contents: readonly TextOrBytes[] = []) {
    this.#first = first;
    for (const content of contents) this.add(new Frame(content));
  }

  /** The bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes that are kept without the largest frame, which may have any size. */
  get bytesBesideLargest(): number {
    this.#largest ??= this.#kept.reduce((largest, kept) => Math.max(largest, kept?.bytes ?? 0), 0);
    return this.#bytes - this.#largest;
  }

  /** The number of the first message that is not acknowledged, otherwise of the next message. */
  get sequenceId(): number {
    return this.#first;
  }

  /** The contents of the frames that are not acknowledged, in order. */
  get contents(): readonly TextOrBytes[] {
    return this.#kept.slice(this.#head).flatMap((kept) => kept ? [kept.content] : []);
  }

  /** The frames that are not acknowledged, in order. */
  get frames(): readonly Frame[] {
    return this.contents.map((content) => new Frame(content));
  }

  /** Keeps a frame that is sent now. */
  add({ content, byteLength }: Frame): void {
    this.#kept.push({ content, bytes: byteLength });
    this.#bytes += byteLength;
    if (this.#largest !== undefined && byteLength > this.#largest) this.#largest = byteLength;
  }

  /**
   * The client has everything up to `sequenceId`; a number that was never sent does no harm. Returns
   * whether the client acknowledges a message for the first time.
   */
  acknowledge(sequenceId: number): boolean {
    const first = this.#first;
    while (this.#first <= sequenceId) {
      const oldest = this.#kept[this.#head];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
      if (oldest.bytes === this.#largest) this.#largest = undefined;
      this.#kept[this.#head++] = undefined;
      this.#first++;
    }
    if (this.#head >= TRIM || this.#head === this.#kept.length) {
      this.#kept.splice(0, this.#head);
      this.#head = 0;
    }
    return this.#first > first;
  }
}
