/**
 * Server-Sent Events: a stream of events to the client, POSTs from it. `specs/signalr-wire.md §4.3`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { eventBytes } from "./frame_bytes.ts";
import { HandOver } from "./hand_over.ts";
import type { Attachment, Session } from "./session.ts";

/** A comment: some browsers open the stream only when something has come. */
const FIRST_BYTES = new TextEncoder().encode(":\r\n");

/** An event stream as a pipe. */
export class EventStream implements Pipe, Attachment {
  format: TransferFormat = "text";
  readonly textOnly = true;
  readonly #session: Session;
  readonly #table: ConnectionTable;
  readonly #sendTimeout: number;
  readonly #events: HandOver;
  #listener: PipeListener | undefined;

  /** `sendTimeout` is in milliseconds. */
  constructor(session: Session, table: ConnectionTable, sendTimeout: number) {
    this.#session = session;
    this.#table = table;
    this.#sendTimeout = sendTimeout;
    // Without a client there is nobody to wait for.
    this.#events = new HandOver((cut) => cut && table.dispose(session));
    this.#events.write(FIRST_BYTES);
  }

  /** Makes the connection; the answer is the stream. */
  open(connect: (pipe: Pipe) => PipeListener): Response {
    this.#table.attach(this.#session, "ServerSentEvents", this);
    this.#listener = connect(this);
    this.#session.inlet.connect(this.#listener);
    return new Response(this.#events.body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache,no-store",
        "pragma": "no-cache",
        // Nothing on the way may collect events to compress them.
        "content-encoding": "identity",
      },
    });
  }

  get bufferedBytes(): number {
    return this.#events.bufferedBytes;
  }

  write(batch: Frame): void {
    this.#events.write(eventBytes(batch));
  }

  close(_code: number): void {
    this.#events.end();
    this.#table.dispose(this.#session);
  }

  terminate(): void {
    this.#events.drop();
    this.#table.dispose(this.#session);
  }

  pause(): void {
    this.#session.inlet.pause();
  }

  resume(): void {
    this.#session.inlet.resume();
  }

  tick(now: number): boolean {
    if (this.#events.stuckFor(now) > this.#sendTimeout) this.terminate();
    return !this.#events.isOver;
  }

  dispose(): void {
    this.#events.end();
    this.#listener?.pipeClosed();
  }
}
