/** The largest chunk that is handed over, in bytes. */
const MAXIMUM_CHUNK_BYTES = 64 * 1024;

/**
 * The body of an answer, handed to the platform only when the platform asks for more: bytes that the
 * client does not read stay here, where they are counted.
 */
export class PulledBody {
  /** The body; it asks for no bytes in advance. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #over: (cut: boolean) => void;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #asked: PromiseWithResolvers<void> | undefined;
  #state: "open" | "ending" | "over" = "open";
  /** How many chunks were handed over. */
  #handed = 0;
  /** The value of `#handed` at the first look that found bytes waiting since then; otherwise -1. */
  #seen = -1;
  /** The time of that look. */
  #seenAt = 0;

  /** Calls `over` once: when everything was handed over, or with `true` when the client has gone. */
  constructor(over: (cut: boolean) => void) {
    this.#over = over;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#finish(true),
    }, { highWaterMark: 0 });
  }

  /** The bytes that were written and not handed over. */
  get bufferedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether no more bytes will be handed over. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Adds bytes. Without effect after {@link end} and {@link drop}. */
  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#asked !== undefined) this.#give();
  }

  /** Ends the body after the bytes that were written. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#queue.length === 0) this.#close();
  }

  /** Ends the body at once; bytes that were not handed over are dropped. */
  drop(): void {
    if (this.#state !== "over") this.#close();
  }

  /** How long the client has taken no waiting bytes, in milliseconds, as far as looks tell. */
  stuckFor(now: number): number {
    if (this.#queue.length > 0 && this.#handed === this.#seen) return now - this.#seenAt;
    this.#seen = this.#queue.length > 0 ? this.#handed : -1;
    this.#seenAt = now;
    return 0;
  }

  #pull(): Promise<void> | undefined {
    this.#asked = Promise.withResolvers();
    const { promise } = this.#asked;
    if (this.#queue.length > 0) this.#give();
    return promise;
  }

  #give(): void {
    this.#controller?.enqueue(this.#take());
    this.#handed++;
    this.#asked?.resolve();
    this.#asked = undefined;
    if (this.#state === "ending" && this.#queue.length === 0) this.#close();
  }

  /** The next chunk: part of a large piece, or as many small pieces as fit. */
  #take(): Uint8Array<ArrayBuffer> {
    const chunk = new Uint8Array(Math.min(this.#queuedBytes, MAXIMUM_CHUNK_BYTES));
    let at = 0;
    let whole = 0;
    for (const piece of this.#queue) {
      const room = chunk.length - at;
      if (room === 0) break;
      chunk.set(piece.subarray(0, room), at);
      at += Math.min(room, piece.length);
      if (piece.length <= room) whole++;
      else this.#queue[whole] = piece.subarray(room);
    }
    this.#queue.splice(0, whole);
    this.#queuedBytes -= at;
    return chunk;
  }

  #close(): void {
    this.#controller?.close();
    this.#finish(false);
  }

  #finish(cut: boolean): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#asked?.resolve();
    this.#over(cut);
  }
}
