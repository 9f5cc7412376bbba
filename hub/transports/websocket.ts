/**
 * WebSockets through Deno's native server. `specs/signalr-wire.md §4.2`.
 *
 * What it cannot do, and its pipe therefore does not: stop reading, drop a peer, bound a message
 * before it is whole. See `docs/security.md`.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";
import type { AcceptedWebSocket } from "./acceptor.ts";

const encoder = new TextEncoder();

/** A native WebSocket as a pipe, and as the listener of its own events: one object for both. */
class WebSocketPipe implements Pipe, EventListenerObject {
  readonly #socket: WebSocket;
  #connect: ((pipe: Pipe) => PipeListener) | undefined;
  #listener: PipeListener | undefined;
  format: TransferFormat = "text";

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Tells `listener` what comes. */
  attach(connect: (pipe: Pipe) => PipeListener): void {
    this.#listener = connect(this);
    this.#socket.addEventListener("message", this);
    this.#socket.addEventListener("close", this);
  }

  /** {@link attach}, once it is open. */
  attachWhenOpen(connect: (pipe: Pipe) => PipeListener): void {
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
        // It follows every error, and can come twice. A client that says goodbye closes cleanly.
        return this.#listener?.pipeClosed(!(event as CloseEvent).wasClean);
      case "open":
        if (this.#connect !== undefined) this.attach(this.#connect);
        this.#connect = undefined;
    }
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write(batch: Frame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const text = typeof batch === "string";
    // The handshake's answer is text; a binary protocol's connection gets it as a binary message.
    const data = text && this.format === "binary" ? encoder.encode(batch) : batch;
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  close(code: number): void {
    if (this.#socket.readyState >= WebSocket.CLOSING) return;
    this.#socket.close(code);
  }

  /** The native socket ends when its peer does; closing is all that can be asked of it. */
  terminate(): void {
    this.close(1000);
  }

  /** The native socket cannot stop reading; the inbox closes the connection at its limit. */
  pause(): void {}

  /** See {@link pause}. */
  resume(): void {}
}

/**
 * Accepts a WebSocket that came to `Deno.serve`.
 *
 * @throws {TypeError} if the request is no valid WebSocket opening.
 */
export function acceptWebSocket(request: Request): AcceptedWebSocket {
  // Its own pings would cost a timer per socket; the hub protocol has pings.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  const pipe = new WebSocketPipe(socket);
  return {
    response,
    attach: (connect) => pipe.attach(connect),
    attachWhenOpen: (connect) => pipe.attachWhenOpen(connect),
  };
}
