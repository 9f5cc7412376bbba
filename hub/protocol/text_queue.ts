/** So many pieces are joined to one, so that what they are made of does not outweigh their text. */
const JOINED_PIECES = 1024;

/** What an empty queue has: there is one for every idle connection. */
const NONE: readonly string[] = [];

/** Text in the order it came. However small the pieces are, they cost little more than their text. */
export class TextQueue {
  #blocks = NONE;
  #pieces = NONE;
  #length = 0;

  /** How much there is, in UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** Adds a piece. */
  push(text: string): void {
    if (text === "") return;
    this.#length += text.length;
    this.#pieces = added(this.#pieces, text);
    if (this.#pieces.length < JOINED_PIECES) return;
    this.#blocks = added(this.#blocks, this.#pieces.join(""));
    this.#pieces = NONE;
  }

  /** Takes everything, as one piece. */
  take(): string {
    if (this.#length === 0) return "";
    const text = this.#blocks.join("") + this.#pieces.join("");
    this.#length = 0;
    this.#blocks = NONE;
    this.#pieces = NONE;
    return text;
  }
}

/** `list` with one more; {@link NONE} stays as it is. */
function added(list: readonly string[], text: string): readonly string[] {
  if (list === NONE) return [text];
  (list as string[]).push(text);
  return list;
}
