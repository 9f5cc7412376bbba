import type { PipeListener } from "../connection/pipe.ts";

/** The limit of early bytes, before there is a transport: a handshake and a few messages. */
const MAXIMUM_EARLY_BYTES = 4096;

/** The body of a request. */
type Body = ReadableStream<Uint8Array> | null;

/** The status of the answer to a body. */
type Status = 200 | 400 | 404 | 429;

/**
 * The bodies that a client sends by POST to one connection. Bodies are read one after the other and piece
 * by piece, and no faster than the hub takes them. `specs/signalr-wire.md §4.5`.
 */
export class PostBodies {
  #listener: PipeListener | undefined;
  /** How many bodies are read or wait. */
  #underWay = 0;
  readonly #connected = Promise.withResolvers<void>();
  readonly #early: Uint8Array[] = [];
  #earlyBytes = 0;
  /** Settles when every earlier body has been dealt with. */
  #before: Promise<void> = Promise.resolve();
  #held: PromiseWithResolvers<void> | undefined;
  /** Answers for the current body without waiting for the end of the body. */
  #abandon: (() => void) | undefined;
  #ended = false;

  /** Hands the early pieces to `listener`, and all later pieces. */
  connect(listener: PipeListener): void {
    this.#listener = listener;
    // The hub may pause again at once.
    this.resume();
    for (const piece of this.#early.splice(0)) listener.receive(piece);
    this.#connected.resolve();
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    if (!this.#ended) this.#held ??= Promise.withResolvers();
  }

  /** Reads on. */
  resume(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Reads no more; bodies that wait are answered. */
  end(): void {
    this.#ended = true;
    this.#connected.resolve();
    this.resume();
    this.#abandon?.();
  }

  /**
   * Reads a body; resolves with the status to answer once the hub has all of it: 200, 400 if the body broke
   * off, 404 if the connection ended before any piece was read, 429 if `maximum` bodies are under way. It has at
   * most `length` bytes.
   */
  async read(body: Body, length: number, maximum: number): Promise<Status> {
    if (this.#underWay >= maximum) return 429;
    this.#underWay++;
    const before = this.#before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#before = promise;
    try {
      await before;
      await this.#room(length);
      if (this.#ended) return 404;
      return body === null ? 200 : await this.#readPieces(body);
    } finally {
      this.#abandon = undefined;
      this.#underWay--;
      resolve();
    }
  }

  /** Before there is a transport, a body is read if there is room; other bodies wait for a transport. */
  async #room(bytes: number): Promise<void> {
    if (this.#listener === undefined && this.#earlyBytes + bytes <= MAXIMUM_EARLY_BYTES) return;
    await this.#connected.promise;
    await this.#held?.promise;
  }

  /** Reads a body; does not wait for its end if the connection ends. */
  #readPieces(body: ReadableStream<Uint8Array>): Promise<Status> {
    const { promise, resolve } = Promise.withResolvers<Status>();
    let taken = false;
    this.#abandon = () => resolve(taken ? 200 : 404);
    const hand = (piece: Uint8Array) => {
      taken = true;
      this.#hand(piece);
    };
    this.#pump(body.getReader(), hand).then(() => resolve(200), () => resolve(400));
    return promise;
  }

  async #pump(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    hand: (piece: Uint8Array) => void,
  ): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // Not while a read is under way: Deno would never free its buffer.
      if (this.#ended) return await reader.cancel();
      hand(value);
      await this.#held?.promise;
    }
  }

  #hand(piece: Uint8Array): void {
    if (this.#listener !== undefined) return this.#listener.receive(piece);
    // A copy: a few bytes may be a view of a large buffer.
    this.#early.push(piece.slice());
    this.#earlyBytes += piece.length;
    // A body that did not declare its size turned out too large.
    if (this.#earlyBytes > MAXIMUM_EARLY_BYTES) this.pause();
  }
}

/** The declared size of a body; a body without any header is empty, except over HTTP/2. */
export function declaredBytes(headers: Headers): number {
  const length = headers.get("content-length");
  if (length !== null) return Number(length);
  return headers.has("transfer-encoding") ? Infinity : 0;
}
