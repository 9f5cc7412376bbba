/**
 * WebSockets through npm `ws`, which bounds a message before it is whole, stops reading when it is told
 * to, and drops a peer at once. `specs/signalr-wire.md §4.2`.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
// @ts-types="./ws.d.ts"
import { type WebSocket, WebSocketServer } from "ws";
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { AcceptedWebSocket, Answerer } from "../transports/acceptor.ts";
import { WebSocketPipe } from "./web_socket_pipe.ts";

/** How long a peer may take to answer a close, in milliseconds; then it is dropped. */
export const CLOSE_TIMEOUT = 5000;

/** What tells the endpoint that the opening was answered: none can be made with that status. */
const SWITCHING: Response = Object.defineProperty(new Response(null), "status", { value: 101 });

type Limits = Pick<Answerer["options"], "maximumReceiveMessageSize" | "maximumQueuedReceiveBytes">;

/** Takes WebSockets out of `node:http`. */
export class WebSockets {
  readonly #server: WebSocketServer;
  #closing = false;

  constructor(limits: Limits) {
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      handleProtocols: () => false,
      ...bounds(limits),
    });
    // Whom it refuses is answered by the endpoint.
    this.#server.on("wsClientError", () => {});
  }

  /**
   * Accepts a WebSocket: the answer is written at once.
   *
   * @throws {TypeError} if the request is no valid WebSocket opening.
   */
  accept(message: IncomingMessage, socket: Duplex, head: Buffer): AcceptedWebSocket {
    let accepted: WebSocket | undefined;
    this.#server.handleUpgrade(message, socket, head, (websocket) => accepted = websocket);
    const websocket = accepted;
    if (websocket === undefined) {
      throw new TypeError("Cannot accept WebSocket: not a valid opening");
    }
    // Its request had to wait, and the listener is closing meanwhile.
    if (this.#closing) setImmediate(() => leave(websocket));
    const attach = (connect: (pipe: Pipe) => PipeListener) => join(websocket, socket, connect);
    return { response: SWITCHING, attach, attachWhenOpen: attach };
  }

  /** Asks every client to go. */
  close(): void {
    this.#closing = true;
    for (const websocket of this.#server.clients) leave(websocket);
  }
}

/**
 * What `ws` bounds. A message may hold as many records as may wait to be dispatched, and one of the
 * largest size. Each fragment, and each packet of a frame that is not whole, costs memory beside its
 * bytes: their number is bounded far above what real clients send.
 */
function bounds({ maximumReceiveMessageSize: largest, maximumQueuedReceiveBytes: queued }: Limits) {
  const maxPayload = largest === null ? 0 : Math.max(largest, queued);
  const bytes = largest === null ? 0x7fffffff : maxPayload;
  return {
    maxPayload,
    maxFragments: Math.max(1024, Math.ceil(bytes / 1024)),
    maxBufferedChunks: Math.max(4096, Math.ceil(bytes / 256)),
    closeTimeout: CLOSE_TIMEOUT,
  };
}

/** Asks a client to go; its answer has to be read. */
function leave(websocket: WebSocket): void {
  websocket.close(1001, "Server shutting down");
  websocket.resume();
}

/** Connects the two ends. */
function join(websocket: WebSocket, socket: Duplex, connect: (pipe: Pipe) => PipeListener): void {
  const listener = connect(new WebSocketPipe(websocket, socket));
  websocket.on("message", (data: Buffer, binary: boolean) => {
    listener.receive(
      binary ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data.toString(),
    );
  });
  // The client broke the rules. It is told so; `ws` would go on reading whatever it sends until then.
  websocket.on("error", () => {
    listener.pipeClosed(true);
    setImmediate(() => websocket.pause());
  });
  // Both have said goodbye; the socket may stay until the peer lets go of it.
  socket.once("finish", () => {
    if (!socket.readableEnded) listener.pipeClosed();
  });
  // 1006: it went without a word.
  websocket.on("close", (code: number) => listener.pipeClosed(code === 1006));
}
