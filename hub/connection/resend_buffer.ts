import type { Frame } from "../protocol/protocol.ts";

/** How far the array may be consumed before it is shortened. */
const TRIM = 256;

/**
 * What was sent and not yet acknowledged, for a client that may come back on another socket.
 * `specs/signalr-wire.md §12`: messages are counted from 1.
 */
export class ResendBuffer {
  #frames: { readonly frame: Frame; readonly bytes: number }[] = [];
  #head = 0;
  /** The number of the first frame that is kept. */
  #first = 1;
  #bytes = 0;

  /** The bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of the first message that is not acknowledged; the next to be sent if all are. */
  get sequenceId(): number {
    return this.#first;
  }

  /** The frames that are not acknowledged, in order. */
  get frames(): readonly Frame[] {
    return this.#frames.slice(this.#head).map(({ frame }) => frame);
  }

  /** Keeps a frame that is sent now. */
  add(frame: Frame, bytes: number): void {
    this.#frames.push({ frame, bytes });
    this.#bytes += bytes;
  }

  /** The client has everything up to `sequenceId`; more than was sent does no harm. */
  acknowledge(sequenceId: number): void {
    while (this.#first <= sequenceId) {
      const oldest = this.#frames[this.#head];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
      this.#head++;
      this.#first++;
    }
    if (this.#head < TRIM && this.#head < this.#frames.length) return;
    this.#frames.splice(0, this.#head);
    this.#head = 0;
  }
}
