/** Text of a text protocol, or bytes of a binary protocol. */
export type TextOrBytes = string | Uint8Array;

const encoder = new TextEncoder();

/**
 * One or more complete records as they travel. A frame is made once for a message and a protocol, shared
 * by all recipients, and keeps everything that is made of it. A frame never changes.
 */
export class Frame {
  /** The bytes that the event stream sends; made and used only there. */
  event: Uint8Array | undefined;
  /** The bytes that the WebSockets of `listen` send; made and used only there. */
  webSocketFrame: Uint8Array | undefined;
  #content: TextOrBytes | undefined;
  #byteLength: number | undefined;
  #bytes: Uint8Array | undefined;
  readonly #before: Frame | undefined;
  readonly #last: Frame | undefined;
  /** The latest result of {@link with}. */
  #next: Frame | undefined;

  /** `before` and `last` are the two halves of a frame whose content is not joined yet. */
  constructor(content: TextOrBytes | undefined, before?: Frame, last?: Frame) {
    this.#content = content;
    this.#before = before;
    this.#last = last;
  }

  /** Text if all records are text, otherwise bytes; a transport sends either as it is. */
  get content(): TextOrBytes {
    return this.#content ??= Frame.#join(this);
  }

  /** The content as UTF-8. The bytes must not be changed. */
  get bytes(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    const { content } = this;
    return this.#bytes = typeof content === "string" ? encoder.encode(content) : content;
  }

  /** The number of {@link bytes}. Text is counted, not encoded. */
  get byteLength(): number {
    if (this.#byteLength !== undefined) return this.#byteLength;
    const { content } = this;
    return this.#byteLength = typeof content === "string" ? utf8Length(content) : content.length;
  }

  /**
   * A frame of the same records and those of `frame`. The result is kept for as long as this frame, so a
   * frame that is kept for long must not be asked. Many connections are sent the same frames in the
   * same turn: all of them get the same result, so that it is joined and encoded once.
   */
  with(frame: Frame): Frame {
    const next = this.#next;
    if (next !== undefined && next.#last === frame) return next;
    const [first, second] = [this.#content, frame.#content];
    // Text is joined at once: joining costs nothing before the text is read.
    const bothText = typeof first === "string" && typeof second === "string";
    const joined = new Frame(bothText ? first + second : undefined, this, frame);
    joined.#byteLength = this.byteLength + frame.byteLength;
    return this.#next = joined;
  }

  static #join(whole: Frame): Uint8Array {
    let end = whole.byteLength;
    const joined = new Uint8Array(end);
    let frame = whole;
    while (frame.#before !== undefined && frame.#last !== undefined) {
      const { bytes } = frame.#last;
      joined.set(bytes, end -= bytes.length);
      frame = frame.#before;
    }
    joined.set(frame.bytes);
    return joined;
  }
}

/** The number of UTF-8 bytes of a well-formed string. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes: one more byte for each half.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
