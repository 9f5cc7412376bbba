/**
 * Server-Sent Events: a stream of events to the client, POSTs from it. `specs/signalr-wire.md §4.3`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame, TextOrBytes } from "../protocol/frame.ts";
import type { TransportParts } from "./parts.ts";
import { PulledBody } from "./pulled_body.ts";
import type { HttpPipe, Session } from "./session.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A comment: some browsers open the stream only when something has come. */
const FIRST_BYTES = encoder.encode(":\r\n");

/** An event stream as a pipe. */
export class EventStream implements HttpPipe {
  readonly textOnly = true;
  readonly #session: Session;
  readonly #parts: TransportParts;
  readonly #events: PulledBody;
  #listener: PipeListener | undefined;

  constructor(session: Session, parts: TransportParts) {
    this.#session = session;
    this.#parts = parts;
    this.#events = new PulledBody((cut) => cut && parts.table.dispose(session));
    this.#events.write(FIRST_BYTES);
  }

  /** Makes the connection; the returned answer is the stream. */
  open(connect: (pipe: Pipe) => PipeListener): Response {
    this.#parts.table.setTransport(this.#session, "ServerSentEvents", this);
    this.#listener = connect(this);
    this.#session.posts.connect(this.#listener);
    return new Response(this.#events.body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache,no-store",
        "pragma": "no-cache",
        // No proxy may collect events to compress them.
        "content-encoding": "identity",
        // Nginx would collect events in a buffer.
        "x-accel-buffering": "no",
      },
    });
  }

  get bufferedBytes(): number {
    return this.#events.bufferedBytes;
  }

  write(frames: Frame): void {
    this.#events.write(frames.event ??= eventBytes(frames.content));
  }

  close(_code: number): void {
    this.#events.end();
    this.#parts.table.dispose(this.#session);
  }

  terminate(): void {
    this.#events.drop();
    this.#parts.table.dispose(this.#session);
  }

  pause(): void {
    this.#session.posts.pause();
  }

  resume(): void {
    this.#session.posts.resume();
  }

  tick(now: number): boolean {
    if (this.#events.stuckFor(now) > this.#parts.options.transportSendTimeout) this.terminate();
    return !this.#events.isOver;
  }

  dispose(): void {
    this.#events.end();
    this.#listener?.pipeClosed();
  }
}

/**
 * Records as one unnamed event of a stream. A line end in them begins another `data:` line.
 * `specs/signalr-wire.md §4.3`.
 */
export function eventBytes(content: TextOrBytes): Uint8Array {
  const text = typeof content === "string" ? content : decoder.decode(content);
  // A lone CR ends a line for clients as well; within JSON any line end is only white space.
  return encoder.encode(`data: ${text.replaceAll(/\r\n|\r|\n/g, "\r\ndata: ")}\r\n\r\n`);
}
