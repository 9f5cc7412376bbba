import type { Frame } from "../protocol/protocol.ts";

/**
 * Frames that leave as one write. It never changes: {@link with} gives another.
 *
 * Many connections are sent the same frames in the same turn. These share their batches, so that the
 * write of all of them is joined once.
 */
export class Batch {
  /** How many frames there are. */
  readonly count: number;
  readonly bytes: number;
  readonly #before: Batch | undefined;
  readonly #last: Frame;
  /** All of it, if all is text. Joining texts costs nothing before somebody reads them. */
  readonly #text: string | undefined;
  #joined: Uint8Array | undefined;
  /** What came of the last {@link with}. */
  #next: Batch | undefined;

  private constructor(before: Batch | undefined, frame: Frame, bytes: number) {
    this.#before = before;
    this.#last = frame;
    this.count = (before?.count ?? 0) + 1;
    this.bytes = (before?.bytes ?? 0) + bytes;
    if (typeof frame !== "string") return;
    if (before === undefined) this.#text = frame;
    else if (before.#text !== undefined) this.#text = before.#text + frame;
  }

  /** The batch of one frame of `bytes` bytes. */
  static of(frame: Frame, bytes: number): Batch {
    if (first === undefined || first.#last !== frame) first = new Batch(undefined, frame, bytes);
    return first;
  }

  /** The same frames and one more. */
  with(frame: Frame, bytes: number): Batch {
    if (this.#next === undefined || this.#next.#last !== frame) {
      this.#next = new Batch(this, frame, bytes);
    }
    return this.#next;
  }

  /** One write of all: text if all are, else bytes (the handshake's answer is always text). */
  get joined(): Frame {
    if (this.#before === undefined) return this.#last;
    return this.#text ?? (this.#joined ??= Batch.#join(this));
  }

  static #join(batch: Batch): Uint8Array {
    let end = batch.bytes;
    const joined = new Uint8Array(end);
    for (let at: Batch | undefined = batch; at !== undefined; at = at.#before) {
      const frame = at.#last;
      const part = typeof frame === "string" ? encoder.encode(frame) : frame;
      joined.set(part, end -= part.length);
    }
    return joined;
  }
}

/** What came of the last {@link Batch.of}. */
let first: Batch | undefined;

const encoder = new TextEncoder();
