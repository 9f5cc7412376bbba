/**
 * Long polling: each poll is answered with the frames since the last poll, POSTs bring the client's
 * messages. `specs/signalr-wire.md §4.4`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame } from "../protocol/frame.ts";
import type { TurnListener } from "../scheduling/scheduler.ts";
import type { TransportParts } from "./parts.ts";
import { PulledBody } from "./pulled_body.ts";
import { plain } from "./responses.ts";
import type { HttpPipe, Session } from "./session.ts";

/** The largest answer in one piece, in bytes: the system takes it even if the client does not read. */
const MAXIMUM_PIECE_BYTES = 64 * 1024;

/** A poll that waits for its answer. */
interface Poll {
  readonly since: number;
  readonly answer: (response: Response) => void;
}

/** The polls of one connection as a pipe. */
export class LongPolling implements HttpPipe, TurnListener {
  readonly inherentKeepAlive = true;
  readonly #session: Session;
  readonly #parts: TransportParts;
  #listener: PipeListener | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #poll: Poll | undefined;
  /** An answer that is too large to be given in one piece, while it is handed over. */
  #sending: PulledBody | undefined;
  /** Whether the pipe takes no more frames. */
  #ended = false;

  constructor(session: Session, parts: TransportParts) {
    this.#session = session;
    this.#parts = parts;
  }

  /** Makes the connection for the first poll, which is answered at once. */
  open(connect: (pipe: Pipe) => PipeListener): Response {
    const { table } = this.#parts;
    table.setTransport(this.#session, "LongPolling", this);
    this.#listener = connect(this);
    this.#session.posts.connect(this.#listener);
    table.rest(this.#session);
    return octets(null, 0);
  }

  /** Answers a later poll. A poll that still waits is answered 204; `signal` aborts when the client goes. */
  poll(signal: AbortSignal): Promise<Response> {
    const { clock, table } = this.#parts;
    this.#poll?.answer(plain(204));
    table.activate(this.#session);
    const { promise, resolve } = Promise.withResolvers<Response>();
    const poll = this.#poll = { since: clock.now(), answer: resolve };
    // The signal also aborts after an answer: then another poll waits, or none.
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

  write({ bytes }: Frame): void {
    if (this.#ended) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    // Later frames of this turn join the answer.
    if (this.#poll !== undefined) this.#parts.scheduler.afterFlush(this);
  }

  close(_code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session.posts.resume();
    // The session stays until a poll has been answered.
    if (this.#poll !== undefined) this.#parts.scheduler.afterFlush(this);
  }

  terminate(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#sending?.drop();
    this.#parts.table.dispose(this.#session);
  }

  pause(): void {
    this.#session.posts.pause();
  }

  resume(): void {
    this.#session.posts.resume();
  }

  /** Answers the waiting poll if there are frames, or if the pipe has ended. */
  turnEnded(): void {
    if (this.#poll === undefined || this.#sending !== undefined) return;
    if (this.#queuedBytes > 0) return this.#answerPoll();
    if (!this.#ended) return;
    this.#answer(plain(204));
    this.#parts.table.dispose(this.#session);
  }

  tick(now: number): boolean {
    const { longPolling: { pollTimeout }, transportSendTimeout } = this.#parts.options;
    if (this.#poll !== undefined && now - this.#poll.since >= pollTimeout) this.#answer(plain(200));
    if (this.#sending !== undefined && this.#sending.stuckFor(now) > transportSendTimeout) {
      this.terminate();
    }
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

  /** Answers the waiting poll with all frames. */
  #answerPoll(): void {
    const pieces = this.#queue;
    const length = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (length <= MAXIMUM_PIECE_BYTES) return this.#answer(octets(join(pieces, length), length));
    const sending = this.#sending = new PulledBody((cut) => this.#handedOver(cut));
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
    // The client did not get all frames, and would not notice: the connection has to end.
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
