/** How many pieces are joined to one block, so that objects do not take more memory than the text. */
const JOINED_PIECES = 1024;

/** Text in the order it came. Even small pieces cost little more memory than their text. */
export class TextQueue {
  #blocks: string[] = [];
  #pieces: string[] = [];
  #length = 0;

  /** The length of the text, in UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** Adds a piece. */
  push(text: string): void {
    if (text === "") return;
    this.#length += text.length;
    if (this.#pieces.push(text) < JOINED_PIECES) return;
    this.#blocks.push(this.#pieces.join(""));
    this.#pieces = [];
  }

  /** Takes everything, as one piece. */
  take(): string {
    const text = this.#blocks.join("") + this.#pieces.join("");
    this.#length = 0;
    this.#blocks = [];
    this.#pieces = [];
    return text;
  }
}
