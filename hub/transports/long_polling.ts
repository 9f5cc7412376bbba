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
import { octets, Poll } from "./poll.ts";
import type { PulledBody } from "./pulled_body.ts";
import type { HttpPipe, Session } from "./session.ts";

/**
 * After how long the answer to a poll begins whose client may go without a word, in milliseconds: then
 * the body of the answer reports that the client has gone.
 */
const BEGIN_DELAY = 1000;

/** The polls of one connection as a pipe. */
export class LongPolling implements HttpPipe, TurnListener {
  readonly inherentKeepAlive = true;
  readonly #session: Session;
  readonly #parts: TransportParts;
  #listener: PipeListener | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #poll: Poll | undefined;
  /** Whether the platform reports that the client of the waiting poll has gone. */
  #watched = false;
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

  /**
   * Answers a later poll. A poll that still waits is answered 204. `signal` aborts when the client goes;
   * it is absent where the platform has none to read. `watched` is whether it aborts as soon as that.
   */
  poll(
    signal: AbortSignal | undefined,
    watched: boolean = signal !== undefined,
  ): Promise<Response> {
    const { clock, table } = this.#parts;
    this.#poll?.end(204);
    table.activate(this.#session);
    const { promise, resolve } = Promise.withResolvers<Response>();
    const poll = this.#poll = new Poll(clock.now(), resolve);
    this.#watched = watched;
    // The signal also aborts after an answer: then another poll waits, or none.
    if (signal?.aborted) this.#gone(poll);
    else signal?.addEventListener("abort", () => this.#gone(poll), { once: true });
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
    if (this.#queuedBytes > 0) return this.#sendQueue(this.#poll);
    if (!this.#ended) return;
    const told = !this.#poll.hasBegun;
    this.#endPoll(204);
    // The next poll is told otherwise.
    if (told) this.#parts.table.dispose(this.#session);
  }

  tick(now: number): boolean {
    const { longPolling: { pollTimeout }, transportSendTimeout } = this.#parts.options;
    const poll = this.#poll;
    const waited = poll === undefined ? -1 : now - poll.since;
    if (waited >= pollTimeout) this.#endPoll(200);
    else if (waited >= BEGIN_DELAY && !this.#watched && !poll?.hasBegun) {
      poll?.begin(() => this.#gone(poll));
    }
    if (this.#sending !== undefined && this.#sending.stuckFor(now) > transportSendTimeout) {
      this.terminate();
    }
    return this.#session.state !== "disposed" || this.#sending !== undefined;
  }

  dispose(): void {
    this.#ended = true;
    this.#listener?.pipeClosed();
    this.turnEnded();
    this.#poll?.end(204);
    this.#poll = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** Answers the waiting poll with all frames. */
  #sendQueue(poll: Poll): void {
    const frames = this.#queue;
    const length = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#poll = undefined;
    this.#sending = poll.send(frames, length, (cut) => this.#handedOver(cut));
    if (this.#sending === undefined) this.#parts.table.rest(this.#session);
  }

  /** Answers the waiting poll without a frame. */
  #endPoll(status: 200 | 204): void {
    this.#poll?.end(status);
    this.#poll = undefined;
    if (this.#sending === undefined) this.#parts.table.rest(this.#session);
  }

  #gone(poll: Poll): void {
    if (this.#poll === poll) this.#endPoll(204);
  }

  #handedOver(cut: boolean): void {
    this.#sending = undefined;
    // The client did not get all frames, and would not notice: the connection has to end.
    if (cut) return this.#parts.table.dispose(this.#session);
    if (this.#poll === undefined) this.#parts.table.rest(this.#session);
    else this.turnEnded();
  }
}
