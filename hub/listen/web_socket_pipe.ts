import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Pipe } from "../connection/pipe.ts";
import type { Frame, TextOrBytes } from "../protocol/frame.ts";
// @ts-types="./ws.d.ts"
import type { WebSocket } from "ws";

/** The state in which a socket takes messages. */
const OPEN = 1;

/** The first byte of a message in one WebSocket frame. */
const TEXT = 0x81;
const BINARY = 0x82;

/**
 * If a socket holds more bytes than this, frames wait in the pipe until the socket has drained. A socket
 * joins all bytes that it holds into one write, and drains only when all of them were taken: a client that
 * reads slowly would look like a client that does not read. The limit must not be less than the bytes
 * that a socket holds before it reports that it has drained.
 */
const MAXIMUM_SOCKET_BYTES = 64 * 1024;

/** A socket of `ws` as a pipe. */
export class WebSocketPipe implements Pipe {
  readonly #websocket: WebSocket;
  readonly #socket: Duplex;
  /** Whether messages can be written to `socket` as bytes: not on Bun, which has a `ws` of its own. */
  readonly #direct: boolean;
  /** Chunks that wait for the socket to drain; absent if none waits. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(websocket: WebSocket, socket: Duplex) {
    this.#websocket = websocket;
    this.#socket = socket;
    this.#direct = socket.listenerCount("data") > 0;
  }

  get closing(): boolean {
    return this.#websocket.readyState !== OPEN;
  }

  get reportsWholeFrames(): boolean {
    return !this.#direct;
  }

  get bufferedBytes(): number {
    return this.#websocket.bufferedAmount + this.#heldBytes;
  }

  write(frames: Frame): void {
    if (this.#websocket.readyState !== OPEN) return;
    const { content } = frames;
    // Past `ws`, which would encode the same message again for each of its recipients.
    if (this.#direct) this.#pass(frames.webSocketFrame ??= toWebSocketFrame(content));
    else this.#websocket.send(content, { binary: typeof content !== "string" });
  }

  close(code: number): void {
    if (this.#websocket.readyState === OPEN) {
      for (const frame of this.#held ?? []) this.#socket.write(frame);
    }
    this.#drop();
    this.#websocket.close(code);
    // The client's answer to the close has to be read.
    this.#websocket.resume();
  }

  terminate(): void {
    this.#drop();
    this.#websocket.terminate();
  }

  drop(): void {
    this.terminate();
  }

  pause(): void {
    if (this.#websocket.readyState === OPEN) this.#websocket.pause();
  }

  resume(): void {
    this.#websocket.resume();
  }

  /** A socket reports only whole chunks as taken: large frames are written in chunks. */
  #pass(frame: Uint8Array): void {
    if (frame.length <= MAXIMUM_SOCKET_BYTES) return this.#passChunk(frame);
    for (let at = 0; at < frame.length; at += MAXIMUM_SOCKET_BYTES) {
      this.#passChunk(frame.subarray(at, at + MAXIMUM_SOCKET_BYTES));
    }
  }

  #passChunk(frame: Uint8Array): void {
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
    // No frame may follow a close frame.
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

/** Records as a frame that a server sends. RFC 6455, section 5.2. */
function toWebSocketFrame(content: TextOrBytes): Uint8Array {
  const text = typeof content === "string";
  const length = text ? Buffer.byteLength(content) : content.length;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = text ? TEXT : BINARY;
  frame[1] = head === 2 ? length : head === 4 ? 126 : 127;
  if (head === 4) frame.writeUInt16BE(length, 2);
  if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  if (text) frame.write(content, head);
  else frame.set(content, head);
  return frame;
}
