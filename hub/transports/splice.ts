/**
 * The WebSocket of a client whose connection is on another node: this node passes on what comes, both ways.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import { Frame, type TextOrBytes } from "../protocol/frame.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { PulledBody } from "./pulled_body.ts";
import { HEAD_BYTES, MessageKind } from "./spliced_pipe.ts";

/** How many bytes wait on either side before this node reads no more, in bytes. */
const MAXIMUM_WAITING_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** Both directions of a WebSocket that is spliced to its home. */
export class Splice implements PipeListener {
  readonly #scheduler: Pick<Scheduler, "untilWritable" | "endWait">;
  /** The most bytes that wait for the home when the socket cannot be paused. */
  readonly #maximumBytes: number;
  readonly #received: PulledBody = new PulledBody(() => {});
  readonly #home = this.#congestion(() => this.#received.bufferedBytes);
  readonly #client = this.#congestion(() => this.#pipe?.bufferedBytes ?? 0);
  #pipe: Pipe | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #isPaused = false;
  #hasClosed = false;

  constructor(scheduler: Pick<Scheduler, "untilWritable" | "endWait">, maximumBytes: number) {
    this.#scheduler = scheduler;
    this.#maximumBytes = maximumBytes;
  }

  /** What the client sends. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#received.body;
  }

  /** The socket is open; `answer` brings the messages of the home. */
  open(pipe: Pipe, answer: ReadableStream<Uint8Array>): PipeListener {
    this.#pipe = pipe;
    void this.#pass(pipe, this.#reader = answer.getReader());
    return this;
  }

  receive(chunk: TextOrBytes): void {
    this.#received.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    const { bufferedBytes } = this.#received;
    // A native socket cannot be paused. The client comes back, and nothing is lost.
    if (bufferedBytes > this.#maximumBytes) return this.#pipe?.terminate();
    if (bufferedBytes > MAXIMUM_WAITING_BYTES && !this.#isPaused) void this.#pause();
  }

  pipeClosed(vanished = false): void {
    this.#hasClosed = true;
    this.#scheduler.endWait(this.#client);
    this.#scheduler.endWait(this.#home);
    // The end of the body says that the client has closed its WebSocket.
    if (vanished) this.#reader?.cancel().catch(() => {});
    else this.#received.end();
  }

  async #pause(): Promise<void> {
    this.#isPaused = true;
    this.#pipe?.pause();
    while (this.#home.congested && !this.#hasClosed) {
      await this.#scheduler.untilWritable(this.#home);
    }
    this.#isPaused = false;
    this.#pipe?.resume();
  }

  /** Writes the messages of the home, no faster than the client takes them. */
  async #pass(pipe: Pipe, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const messages = new Messages();
    try {
      for (;;) {
        while (this.#client.congested && !this.#hasClosed) {
          await this.#scheduler.untilWritable(this.#client);
        }
        const { done, value } = await reader.read();
        // The home closes a WebSocket with a message.
        if (done) return pipe.terminate();
        messages.add(value);
        for (const { kind, content, code } of messages.take()) {
          if (kind === MessageKind.Close) return pipe.close(code);
          pipe.write(new Frame(content));
        }
      }
    } catch {
      pipe.terminate();
    }
  }

  #congestion(bytes: () => number) {
    return {
      get congested() {
        return bytes() > MAXIMUM_WAITING_BYTES;
      },
    };
  }
}

/** A message of the home. */
interface Message {
  readonly kind: number;
  readonly content: TextOrBytes;
  readonly code: number;
}

/** Divides the bytes of a home into messages. */
class Messages {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** How many bytes are needed before anything can be read. */
  #wanted = HEAD_BYTES;

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  /** The messages that are whole. */
  *take(): Generator<Message, void> {
    if (this.#bytes < this.#wanted) return;
    let bytes = Buffer.concat(this.#parts);
    this.#wanted = HEAD_BYTES;
    while (bytes.length >= HEAD_BYTES) {
      const kind = bytes.readUInt8();
      const value = bytes.readUInt32BE(1);
      const length = kind === MessageKind.Close ? 0 : value;
      this.#wanted = HEAD_BYTES + length;
      if (bytes.length < this.#wanted) break;
      const content = bytes.subarray(HEAD_BYTES, this.#wanted);
      const isText = kind === MessageKind.Text;
      yield { kind, content: isText ? content.toString() : new Uint8Array(content), code: value };
      bytes = bytes.subarray(this.#wanted);
      this.#wanted = HEAD_BYTES;
    }
    this.#parts = [bytes];
    this.#bytes = bytes.length;
  }
}
