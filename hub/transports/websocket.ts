/**
 * WebSockets through Deno's native server. `specs/signalr-wire.md §4.2`.
 *
 * That server cannot stop reading, drop a peer or bound a message before it is whole, and neither can
 * this pipe. See `docs/security.md`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame } from "../protocol/frame.ts";
import type { AcceptedWebSocket, AcceptWebSocket } from "./acceptor.ts";
import type { ClosingSockets } from "./closing_sockets.ts";

/** A native WebSocket as a pipe, and as the listener of its own events: one object for both. */
class WebSocketPipe implements Pipe, EventListenerObject {
  readonly reportsWholeFrames = true;
  readonly #socket: WebSocket;
  readonly #closing: ClosingSockets | undefined;
  #connect: ((pipe: Pipe) => PipeListener) | undefined;
  #listener: PipeListener | undefined;
  /** The code that the socket is closed with if it opens after all. */
  #closeCode: number | undefined;

  constructor(socket: WebSocket, closing: ClosingSockets | undefined) {
    this.#socket = socket;
    this.#closing = closing;
  }

  /** Makes the connection; its listener hears of messages and of the end. */
  connectNow(connect: (pipe: Pipe) => PipeListener): void {
    this.#listener = connect(this);
    this.#socket.addEventListener("message", this);
    this.#socket.addEventListener("close", this);
  }

  /** Makes the connection once the socket is open. */
  connectWhenOpen(connect: (pipe: Pipe) => PipeListener): void {
    this.#connect = connect;
    this.#socket.addEventListener("open", this, { once: true });
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case "message": {
        const { data } = event as MessageEvent<string | ArrayBuffer>;
        return this.#listener?.receive(typeof data === "string" ? data : new Uint8Array(data));
      }
      case "close":
        this.#closing?.delete(this);
        // This event follows every error, and can come twice. A client that leaves on purpose closes cleanly.
        return this.#listener?.pipeClosed(!(event as CloseEvent).wasClean);
      case "open":
        if (this.#closeCode !== undefined) return this.#close(this.#closeCode);
        if (this.#connect !== undefined) this.connectNow(this.#connect);
        this.#connect = undefined;
    }
  }

  get closing(): boolean {
    return this.#closeCode !== undefined || this.#socket.readyState >= WebSocket.CLOSING;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write({ content }: Frame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(content as string | Uint8Array<ArrayBuffer>);
  }

  close(code: number): void {
    if (this.closing) return;
    if (this.#socket.readyState === WebSocket.OPEN) return this.#close(code);
    this.#closeCode = code;
    this.#forget();
    this.#socket.addEventListener("open", this, { once: true });
  }

  #close(code: number): void {
    this.#closing?.add(this);
    this.#socket.addEventListener("close", this);
    this.#socket.close(code);
  }

  /**
   * Ends the connection of a socket that is not open: Deno keeps the socket for good if its client has gone
   * before the answer, and no event tells of that.
   */
  #forget(): void {
    const listener = this.#listener;
    this.#listener = this.#connect = undefined;
    this.#socket.removeEventListener("message", this);
    this.#socket.removeEventListener("close", this);
    if (listener !== undefined) queueMicrotask(() => listener.pipeClosed(true));
  }

  /** The native socket ends only when its peer ends it; it can only be asked to close. */
  terminate(): void {
    this.close(1000);
  }

  /** The native socket cannot stop reading; the inbox closes the connection at its limit. */
  pause(): void {}

  /** See {@link pause}. */
  resume(): void {}
}

/** How the platform's own server takes WebSockets; `undefined` on Node and Bun, where it cannot. */
export function nativeAcceptor(): AcceptWebSocket | undefined {
  return typeof Deno === "undefined" ? undefined : acceptWebSocket;
}

/**
 * Accepts a WebSocket that came to `Deno.serve`.
 *
 * @throws {TypeError} if the request is not a valid WebSocket opening.
 */
export function acceptWebSocket(request: Request, closing?: ClosingSockets): AcceptedWebSocket {
  // The pings of Deno's server would cost a timer per socket; the hub protocol has pings.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  const pipe = new WebSocketPipe(socket, closing);
  return {
    response,
    connectNow: (connect) => pipe.connectNow(connect),
    connectWhenOpen: (connect) => pipe.connectWhenOpen(connect),
  };
}
