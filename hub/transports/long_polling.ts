/**
 * Long polling: each poll is answered with what has come since the last, POSTs bring what the client
 * sends. `specs/signalr-wire.md §4.4`.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import { afterTurn, type TurnListener } from "../scheduling/turn.ts";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { frameBytes } from "./frame_bytes.ts";
import { HandOver } from "./hand_over.ts";
import { plain } from "./responses.ts";
import type { Attachment, Session } from "./session.ts";

/** Up to here, in bytes, an answer is given in one piece: the system takes it whatever the client does. */
const MAXIMUM_PIECE_BYTES = 64 * 1024;

/** A poll that waits for its answer. */
interface Poll {
  readonly since: number;
  readonly answer: (response: Response) => void;
}

/** What a {@link LongPolling} needs of the server; times are milliseconds. */
export interface LongPollingParts {
  readonly table: ConnectionTable;
  readonly clock: Clock;
  readonly pollTimeout: number;
  readonly sendTimeout: number;
}

/** The polls of one connection as a pipe. */
export class LongPolling implements Pipe, Attachment, TurnListener {
  format: TransferFormat = "text";
  readonly inherentKeepAlive = true;
  readonly #session: Session;
  readonly #parts: LongPollingParts;
  #listener: PipeListener | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #poll: Poll | undefined;
  /** An answer that is too large to be given in one piece, while it is handed over. */
  #sending: HandOver | undefined;
  /** Nothing more is written. */
  #ended = false;

  constructor(session: Session, parts: LongPollingParts) {
    this.#session = session;
    this.#parts = parts;
  }

  /** The first poll: makes the connection, and is answered at once. */
  open(connect: (pipe: Pipe) => PipeListener): Response {
    const { table } = this.#parts;
    table.attach(this.#session, "LongPolling", this);
    this.#listener = connect(this);
    this.#session.inlet.connect(this.#listener);
    table.rest(this.#session);
    return octets(null, 0);
  }

  /** Every other poll. One that still waits is answered 204; `signal` tells that the client has gone. */
  poll(signal: AbortSignal): Promise<Response> {
    const { clock, table } = this.#parts;
    this.#poll?.answer(plain(204));
    table.activate(this.#session);
    const { promise, resolve } = Promise.withResolvers<Response>();
    const poll = this.#poll = { since: clock.now(), answer: resolve };
    // It is aborted after an answer that was given as well: then another poll waits, or none.
    const gone = () => {
      if (this.#poll === poll) this.#answer(plain(204));
    };
    if (signal.aborted) gone();
    else signal.addEventListener("abort", gone, { once: true });
    this.turnEnded();
    return promise;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#sending?.bufferedBytes ?? 0);
  }

  write(batch: Frame): void {
    if (this.#ended) return;
    const bytes = frameBytes(batch);
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    // What follows in this turn goes with it.
    if (this.#poll !== undefined) afterTurn(this);
  }

  close(_code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session.inlet.resume();
    // The session stays until a poll has been told.
    if (this.#poll !== undefined) afterTurn(this);
  }

  terminate(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#sending?.drop();
    this.#parts.table.dispose(this.#session);
  }

  pause(): void {
    this.#session.inlet.pause();
  }

  resume(): void {
    this.#session.inlet.resume();
  }

  /** Answers the poll that waits, if there is something to say. */
  turnEnded(): void {
    if (this.#poll === undefined || this.#sending !== undefined) return;
    if (this.#queuedBytes > 0) return this.#deliver();
    if (!this.#ended) return;
    this.#answer(plain(204));
    this.#parts.table.dispose(this.#session);
  }

  tick(now: number): boolean {
    const { pollTimeout, sendTimeout } = this.#parts;
    if (this.#poll !== undefined && now - this.#poll.since >= pollTimeout) this.#answer(plain(200));
    if (this.#sending !== undefined && this.#sending.stuckFor(now) > sendTimeout) this.terminate();
    return this.#session.state !== "disposed" || this.#sending !== undefined;
  }

  dispose(): void {
    this.#ended = true;
    this.#listener?.pipeClosed();
    this.turnEnded();
    this.#poll?.answer(plain(204));
    this.#poll = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** Answers with everything that is there. */
  #deliver(): void {
    const pieces = this.#queue;
    const length = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (length <= MAXIMUM_PIECE_BYTES) return this.#answer(octets(join(pieces, length), length));
    const sending = this.#sending = new HandOver((cut) => this.#handedOver(cut));
    for (const piece of pieces) sending.write(piece);
    sending.end();
    this.#answer(octets(sending.body, length));
  }

  #answer(response: Response): void {
    this.#poll?.answer(response);
    this.#poll = undefined;
    if (this.#sending === undefined) this.#parts.table.rest(this.#session);
  }

  #handedOver(cut: boolean): void {
    this.#sending = undefined;
    // What the client did not get would be missing without a sign.
    if (cut) return this.#parts.table.dispose(this.#session);
    if (this.#poll === undefined) this.#parts.table.rest(this.#session);
    else this.turnEnded();
  }
}

function octets(body: BodyInit | null, length: number): Response {
  return new Response(body, {
    headers: { "content-type": "application/octet-stream", "content-length": `${length}` },
  });
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
