import { connect, type Socket } from "node:net";
import { frame, Opcode } from "../../../kit/socket.ts";

/** The ways in which a client can leave. */
export const WAYS = ["Close", "bare close", "FIN", "RST", "silence"] as const;

export type Way = typeof WAYS[number];

/** How a socket is opened. */
export interface HostileSocketOptions {
  readonly port: number;
  /** Whether it takes what it is sent, or leaves that to the system. */
  readonly reads: boolean;
  /** Ends its writing. */
  readonly signal: AbortSignal;
}

const CLOSE = frame(Opcode.Close, new Uint8Array([3, 232]));

/** The longest that a client waits for the answer to its Close message, in milliseconds. */
const GOODBYE = 1000;

/** A TCP connection that is written as fast as the node takes bytes, and can end in each way. */
export class HostileSocket implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #signal: AbortSignal;
  readonly #closed = Promise.withResolvers<void>();
  #ended = false;
  #change = Promise.withResolvers<void>();

  private constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    const over = () => {
      this.#ended = true;
      this.#changed();
    };
    socket.on("error", over).on("end", over).on("drain", this.#changed);
    socket.on("close", () => {
      over();
      signal.removeEventListener("abort", this.#changed);
      this.#closed.resolve();
    });
    signal.addEventListener("abort", this.#changed);
  }

  /** Connects. */
  static async open({ port, reads, signal }: HostileSocketOptions): Promise<HostileSocket> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("connect", resolve).once("error", reject);
    const giveUp = () => socket.destroy(new DOMException("The time is over", "AbortError"));
    signal.addEventListener("abort", giveUp);
    await promise.finally(() => signal.removeEventListener("abort", giveUp));
    socket.off("error", reject);
    if (reads) socket.resume();
    else socket.pause();
    return new HostileSocket(socket, signal);
  }

  /** Resolves when the node has answered the handshake of a WebSocket and a call behind it. */
  async answered(): Promise<void> {
    let text = "";
    this.#socket.on("data", (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      if (text.includes('"type":3')) this.#changed();
    });
    while (!text.includes('"type":3') && !this.#over) await this.#change.promise;
  }

  /** Resolves when the node has sent something. */
  async heard(): Promise<void> {
    while (this.#socket.bytesRead === 0 && !this.#over) {
      this.#socket.once("data", this.#changed);
      await this.#change.promise;
    }
  }

  /** Writes all of it; false if the node has ended the connection, or when the time is over. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#over) return false;
    this.#socket.write(bytes);
    while (this.#socket.writableNeedDrain && !this.#over) await this.#change.promise;
    return !this.#over;
  }

  /**
   * Leaves; bytes that do not belong to a WebSocket take a FIN for a close. Resolves when the client has
   * done its part: only "Close" waits for the node.
   */
  async leave(way: Way, webSocket = true): Promise<void> {
    const socket = this.#socket;
    if (this.#ended) return;
    if (way === "RST") return void socket.resetAndDestroy();
    if (way === "silence") return void socket.pause();
    if (!webSocket || way === "FIN") socket.end();
    else if (way === "Close") socket.write(frame(Opcode.Text, '{"type":7}\x1e'));
    if (webSocket && way !== "FIN") socket.write(CLOSE);
    if (way !== "Close") return void socket.pause();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), GOODBYE);
    while (!this.#ended) await this.#change.promise;
    clearTimeout(timer);
    socket.destroy();
  }

  /** Drops the connection, whatever is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed.promise;
  }

  get #over(): boolean {
    return this.#ended || this.#signal.aborted;
  }

  readonly #changed = (): void => {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  };
}
