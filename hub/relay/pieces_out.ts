import { MAXIMUM_PIECE_BYTES, PIECES_AHEAD } from "../bus/relay_messages.ts";

/** A part of a body. */
export interface Piece {
  readonly number: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** After how many looks a sender asks whether the reader really has taken nothing more. */
const LOOKS_BETWEEN_PROBES = 8;

/**
 * A body on its way to another node. Pieces leave as far as the receiver allows, and are kept until the
 * receiver's reader has them. Bytes that are fewer than a piece may have wait for more while a piece is under
 * way.
 */
export class PiecesOut {
  readonly #send: (piece: Piece) => void;
  readonly #atTurnEnd: (flush: () => void) => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** The pieces that the reader does not have, and how many pieces the receiver has. */
  #pending: Piece[] = [];
  #received = 0;
  /** The last piece that was sent. */
  #latest: Piece | undefined;
  #allowed = PIECES_AHEAD;
  #state: "open" | "finished" | "ended" = "open";
  #flushing = false;
  #looks = 0;
  #room: PromiseWithResolvers<void> | undefined;

  /** `atTurnEnd` calls back once at the end of the turn, when the parts of one answer have come. */
  constructor(send: (piece: Piece) => void, atTurnEnd: (flush: () => void) => void) {
    this.#send = send;
    this.#atTurnEnd = atTurnEnd;
  }

  /** Whether the receiver lacks a piece that was sent. */
  get isOwed(): boolean {
    return this.#received <= (this.#latest?.number ?? -1);
  }

  /** Whether a piece was sent. */
  get hasBegun(): boolean {
    return this.#latest !== undefined;
  }

  /** How many pieces were sent that the reader does not have. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Whether pieces were sent that the reader does not have. */
  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Whether the reader has everything. */
  get isDone(): boolean {
    return this.#latest?.last === true && !this.isPending;
  }

  /** Whether the reader lacks bytes that were given. */
  get owesBytes(): boolean {
    return this.#bytes > 0 || this.#pending.some(({ bytes }) => bytes.length > 0);
  }

  /** Sends the first piece at the end of the turn, also if there is no byte for it yet. */
  begin(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#atTurnEnd(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Adds bytes, which must not change any more. */
  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    this.begin();
  }

  /** The body is whole. */
  finish(): void {
    if (this.#state !== "open") return;
    this.#state = "finished";
    this.#flush();
  }

  /**
   * Sends all of a body, no faster than the receiver takes it. A body that has its announced `length` is
   * whole: its end may come later. Rejects if the body breaks off.
   */
  async pump(
    body: ReadableStreamDefaultReader<Uint8Array>,
    length: number = Infinity,
  ): Promise<void> {
    let left = length;
    while (left > 0) {
      // Not while a read is under way: Deno would never free its buffer.
      if (this.#state === "ended") return await body.cancel();
      const { done, value } = await body.read();
      if (done) break;
      left -= value.length;
      this.write(value);
      if (this.#bytes >= MAXIMUM_PIECE_BYTES) {
        this.#room = Promise.withResolvers();
        await this.#room.promise;
      }
    }
    this.finish();
    // Deno keeps a body that was not read to its end.
    if (left <= 0) await body.cancel();
  }

  /** The receiver has `received` pieces and allows `allowed`. Returns whether its reader has taken some. */
  receipt(received: number, allowed: number): boolean {
    const { length } = this.#pending;
    this.#received = Math.max(this.#received, received);
    this.#allowed = Math.max(this.#allowed, allowed);
    const taken = this.#allowed - PIECES_AHEAD;
    while ((this.#pending[0]?.number ?? taken) < taken) this.#pending.shift();
    const hasTaken = this.#pending.length < length;
    // Nothing may have begun yet.
    if (this.hasBegun && !this.#flushing) this.#flush();
    return hasTaken;
  }

  /** Sends again what the receiver lacks, or asks from time to time whether the reader has taken more. */
  repeat(): void {
    if (this.isOwed) {
      for (const piece of this.#pending) if (piece.number >= this.#received) this.#send(piece);
    } else if (this.isPending && ++this.#looks % LOOKS_BETWEEN_PROBES === 0 && this.#latest) {
      this.#send(this.#latest);
    }
  }

  /** Nobody receives any more. */
  end(): void {
    this.#state = "ended";
    this.#pending = [];
    this.#parts = [];
    this.#bytes = 0;
    this.#room?.resolve();
  }

  #flush(): void {
    while (this.#state !== "ended" && this.#isDue()) this.#sendPiece();
    if (this.#bytes < MAXIMUM_PIECE_BYTES) this.#room?.resolve();
  }

  #isDue(): boolean {
    const next = (this.#latest?.number ?? -1) + 1;
    if (next >= this.#allowed || this.#latest?.last) return false;
    if (this.#state === "finished" || next === 0) return true;
    return this.#bytes >= MAXIMUM_PIECE_BYTES || this.#bytes > 0 && !this.isOwed;
  }

  #sendPiece(): void {
    const bytes = this.#take();
    const last = this.#state === "finished" && this.#bytes === 0;
    const piece = this.#latest = { number: (this.#latest?.number ?? -1) + 1, last, bytes };
    this.#pending.push(piece);
    this.#send(piece);
  }

  /** The bytes of the next piece. */
  #take(): Uint8Array {
    const [first] = this.#parts;
    const length = Math.min(this.#bytes, MAXIMUM_PIECE_BYTES);
    this.#bytes -= length;
    if (first?.length === length) {
      this.#parts.shift();
      return first;
    }
    const piece = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = this.#parts.shift() ?? piece;
      const room = length - at;
      piece.set(part.subarray(0, room), at);
      at += part.length;
      if (part.length > room) this.#parts.unshift(part.subarray(room));
    }
    return piece;
  }
}
