import type { PipeListener } from "../connection/pipe.ts";

/** What a connection without a transport may be sent ahead, in bytes: a handshake and a few messages. */
const MAXIMUM_EARLY_BYTES = 4096;

/** What a body is answered. */
type Status = 200 | 400 | 404;

/**
 * What a client sends by POST to one connection. Bodies are taken one after the other and piece by
 * piece, and no faster than the hub takes them. `specs/signalr-wire.md §4.5`.
 */
export class Inlet {
  #listener: PipeListener | undefined;
  readonly #connected = Promise.withResolvers<void>();
  readonly #early: Uint8Array[] = [];
  #earlyBytes = 0;
  /** Settles when every body that came before has been dealt with. */
  #before: Promise<void> = Promise.resolve();
  #held: PromiseWithResolvers<void> | undefined;
  /** Answers for the body that is being read, without waiting for more of it. */
  #abandon: (() => void) | undefined;
  #ended = false;

  /** Hands over what came early, and everything else from now on. */
  connect(listener: PipeListener): void {
    this.#listener = listener;
    // The hub may hold again at once.
    this.resume();
    for (const piece of this.#early.splice(0)) listener.receive(piece);
    this.#connected.resolve();
  }

  /** Takes nothing until {@link resume}. */
  pause(): void {
    if (!this.#ended) this.#held ??= Promise.withResolvers();
  }

  /** Takes more. */
  resume(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Takes nothing any more; whatever waits is let go. */
  end(): void {
    this.#ended = true;
    this.#connected.resolve();
    this.resume();
    this.#abandon?.();
  }

  /**
   * Takes a body; resolves with the status to answer once the hub has it all: 200, 400 if it broke off,
   * 404 if the connection has gone before anything of it was taken.
   */
  async take({ body, headers }: Request): Promise<Status> {
    const before = this.#before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#before = promise;
    try {
      await before;
      await this.#room(declaredBytes(headers));
      if (this.#ended) return 404;
      return body === null ? 200 : await this.#read(body);
    } finally {
      this.#abandon = undefined;
      resolve();
    }
  }

  /** Before there is a transport, bodies are taken as far as there is room; others wait for it. */
  async #room(bytes: number): Promise<void> {
    if (this.#listener === undefined && this.#earlyBytes + bytes <= MAXIMUM_EARLY_BYTES) return;
    await this.#connected.promise;
    await this.#held?.promise;
  }

  /** Reads a body; one that trickles in is not waited for when the connection ends. */
  #read(body: ReadableStream<Uint8Array>): Promise<Status> {
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
    // A copy: a few bytes may come as a view of a large buffer.
    this.#early.push(piece.slice());
    this.#earlyBytes += piece.length;
    // One whose size was not declared turned out too large.
    if (this.#earlyBytes > MAXIMUM_EARLY_BYTES) this.pause();
  }
}

/** How large a body says it is; without any header it is empty, except over HTTP/2. */
function declaredBytes(headers: Headers): number {
  const length = headers.get("content-length");
  if (length !== null) return Number(length);
  return headers.has("transfer-encoding") ? Infinity : 0;
}
