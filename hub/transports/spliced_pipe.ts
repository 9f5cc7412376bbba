/**
 * A WebSocket that another node holds, as a pipe of the home of its connection. The body of the request that
 * opened it brings what the client sends; the body of the answer takes records to the client.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame } from "../protocol/frame.ts";
import { PulledBody } from "./pulled_body.ts";

/** What stands before each message to the client: its kind, and its length or a close code. */
export const HEAD_BYTES = 5;

/** The kinds of messages: for the client, or the close of its WebSocket. */
export const MessageKind = { Text: 0, Binary: 1, Close: 2 } as const;

/** The WebSocket of a client that is on another node. */
export class SplicedPipe implements Pipe {
  readonly #messages: PulledBody;
  #listener: PipeListener | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.#messages = new PulledBody((cut) => cut && this.#listener?.pipeClosed(true));
  }

  /** The body of the answer. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#messages.body;
  }

  /** Hands what the client sends to `listener`: its end if the client has closed, else that it has vanished. */
  async connect(listener: PipeListener, body: ReadableStream<Uint8Array>): Promise<void> {
    this.#listener = listener;
    const reader = body.getReader();
    try {
      for (;;) {
        await this.#held?.promise;
        const { done, value } = await reader.read();
        if (done) return listener.pipeClosed(false);
        listener.receive(value);
      }
    } catch {
      listener.pipeClosed(true);
    }
  }

  get bufferedBytes(): number {
    return this.#messages.bufferedBytes;
  }

  write({ content, bytes }: Frame): void {
    const kind = typeof content === "string" ? MessageKind.Text : MessageKind.Binary;
    this.#messages.write(head(kind, bytes.length));
    this.#messages.write(bytes);
  }

  close(code: number): void {
    this.#messages.write(head(MessageKind.Close, code));
    this.#messages.end();
    this.resume();
  }

  terminate(): void {
    this.#messages.drop();
    this.resume();
  }

  drop(): void {
    this.terminate();
  }

  pause(): void {
    this.#held ??= Promise.withResolvers();
  }

  resume(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }
}

function head(kind: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt8(kind);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}
