import type { Duplex } from "node:stream";
import type { Pipe } from "../connection/pipe.ts";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";
import { serverFrame } from "./server_frame.ts";
// @ts-types="./ws.d.ts"
import type { WebSocket } from "ws";

/** The state in which a socket takes messages. */
const OPEN = 1;

/**
 * From here on, in bytes, what is written waits here until the socket has passed on all that it has. A
 * socket joins whatever it holds into one write and says only when all of that was taken: a client that
 * reads slowly would look like one that does not read. It must not be less than what a socket holds before
 * it tells when it has drained.
 */
const MAXIMUM_SOCKET_BYTES = 64 * 1024;

/** A socket of `ws` as a pipe. */
export class WebSocketPipe implements Pipe {
  format: TransferFormat = "text";
  readonly #websocket: WebSocket;
  readonly #socket: Duplex;
  /** Whether the messages of `websocket` travel as bytes of `socket`: Bun has a `ws` of its own. */
  readonly #direct: boolean;
  /** Frames that wait for the socket to drain; absent while none does. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(websocket: WebSocket, socket: Duplex) {
    this.#websocket = websocket;
    this.#socket = socket;
    this.#direct = socket.listenerCount("data") > 0;
  }

  get bufferedBytes(): number {
    return this.#websocket.bufferedAmount + this.#heldBytes;
  }

  write(batch: Frame): void {
    if (this.#websocket.readyState !== OPEN) return;
    // Past `ws`, which would encode the same message again for each of its recipients.
    if (this.#direct) this.#pass(serverFrame(batch, this.format));
    else this.#websocket.send(batch, { binary: this.format === "binary" });
  }

  close(code: number): void {
    if (this.#websocket.readyState === OPEN) {
      for (const frame of this.#held ?? []) this.#socket.write(frame);
    }
    this.#drop();
    this.#websocket.close(code);
    // The answer to it has to be read.
    this.#websocket.resume();
  }

  terminate(): void {
    this.#drop();
    this.#websocket.terminate();
  }

  pause(): void {
    if (this.#websocket.readyState === OPEN) this.#websocket.pause();
  }

  resume(): void {
    this.#websocket.resume();
  }

  #pass(frame: Uint8Array): void {
    if (this.#held === undefined) {
      if (this.#socket.writableLength <= MAXIMUM_SOCKET_BYTES) {
        this.#socket.write(frame);
        return;
      }
      this.#held = [];
      this.#waitForSocket();
    }
    this.#held.push(frame);
    this.#heldBytes += frame.length;
  }

  #waitForSocket(): void {
    this.#socket.once("drain", () => this.#passHeld());
  }

  #passHeld(): void {
    const held = this.#held;
    if (held === undefined) return;
    // After a close frame nothing may come.
    if (this.#websocket.readyState !== OPEN) return this.#drop();
    let passed = 0;
    for (const frame of held) {
      if (this.#socket.writableLength > MAXIMUM_SOCKET_BYTES) break;
      this.#socket.write(frame);
      this.#heldBytes -= frame.length;
      passed++;
    }
    if (passed === held.length) this.#held = undefined;
    else {
      held.splice(0, passed);
      this.#waitForSocket();
    }
  }

  #drop(): void {
    this.#held = undefined;
    this.#heldBytes = 0;
  }
}
