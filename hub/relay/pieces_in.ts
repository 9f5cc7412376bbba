import { PIECES_AHEAD } from "../bus/relay_messages.ts";
import type { Piece } from "./pieces_out.ts";

/** Is told by {@link PiecesIn}. */
export interface PiecesInListener {
  /** The sender is to know that so many pieces have come, and how many it may send. */
  receipt(received: number, allowed: number): void;
  /** The reader has everything, or has gone. Called once, unless the body breaks off. */
  over(hasGone: boolean): void;
}

/**
 * A body that comes from another node. A piece is handed over when the reader asks for it; the sender may be
 * so many pieces ahead of the reader, and no more.
 */
export class PiecesIn {
  /** The body; it asks for no bytes in advance. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #listener: PiecesInListener;
  readonly #exact: boolean;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #asked: PromiseWithResolvers<void> | undefined;
  #received = 0;
  #taken = 0;
  #hasBytes = false;
  #isWhole = false;
  #isOver = false;

  /** Unless `exact`, the sender need not know that the reader has taken the end. */
  constructor(listener: PiecesInListener, exact: boolean) {
    this.#listener = listener;
    this.#exact = exact;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(true),
    }, { highWaterMark: 0 });
  }

  /** Takes a piece and tells the sender. A piece that has come before, or too early, is dropped. */
  receive(piece: Piece): void {
    this.take(piece);
    this.tell();
  }

  /** Takes a piece without a word to the sender. */
  take({ number, last, bytes }: Piece): void {
    if (number !== this.#received || number >= this.#taken + PIECES_AHEAD || this.#isWhole) return;
    this.#received++;
    this.#isWhole = last;
    this.#hasBytes ||= bytes.length > 0;
    // The bytes of a message are the bus's again.
    if (this.#isOver) this.#taken++;
    else this.#queue.push(bytes.slice());
    this.#give();
  }

  /** Tells the sender what has come, and how many pieces may. */
  tell(): void {
    this.#listener.receipt(this.#received, this.#taken + PIECES_AHEAD);
  }

  /** No more pieces come: the reader sees that the body broke off, unless every piece is here. */
  breakOff(): void {
    if (this.#isOver || this.#isWhole) return;
    this.#stop();
    this.#controller?.error(new TypeError("The body of a relayed request has broken off"));
  }

  /** Ends the body if it has no byte so far; returns whether that is so. No more pieces come. */
  endEarly(): boolean {
    if (this.#isOver || this.#hasBytes) return false;
    this.#stop();
    this.#controller?.close();
    return true;
  }

  #pull(): Promise<void> {
    const { promise } = this.#asked = Promise.withResolvers();
    const before = this.#taken;
    this.#give();
    if (this.#taken > before && (this.#exact || !this.#isWhole)) this.tell();
    return promise;
  }

  #give(): void {
    this.#skip();
    const bytes = this.#asked === undefined ? undefined : this.#queue.shift();
    if (bytes !== undefined) {
      this.#taken++;
      this.#controller?.enqueue(bytes);
      this.#skip();
    }
    const isOver = this.#isWhole && this.#queue.length === 0 && !this.#isOver;
    if (isOver) this.#controller?.close();
    if (bytes !== undefined) this.#answered();
    if (isOver) this.#end(false);
  }

  /** An empty piece says only that the body has begun, or ends. */
  #skip(): void {
    while (this.#queue[0]?.length === 0) {
      this.#queue.shift();
      this.#taken++;
    }
  }

  #answered(): void {
    this.#asked?.resolve();
    this.#asked = undefined;
  }

  #end(hasGone: boolean): void {
    this.#stop();
    this.#listener.over(hasGone);
  }

  #stop(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#answered();
  }
}
