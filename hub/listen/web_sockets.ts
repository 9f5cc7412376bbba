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

/** Tells the endpoint that the opening was answered. A response with status 101 cannot be constructed. */
const SWITCHING: Response = Object.defineProperty(new Response(null), "status", { value: 101 });

/** Pings of a client that has more unsent bytes are not answered. */
const MAXIMUM_BUFFERED = 64 * 1024;

const NOTHING = new Uint8Array();

/** Takes WebSockets out of `node:http`. */
export class WebSockets {
  readonly #server: WebSocketServer;
  #closing = false;

  constructor(limits: Answerer["options"]) {
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      autoPong: false,
      handleProtocols: () => false,
      ...bounds(limits),
    });
    // The endpoint answers requests that `ws` refuses.
    this.#server.on("wsClientError", () => {});
  }

  /**
   * Accepts a WebSocket: the answer is written at once.
   *
   * @throws {TypeError} if the request is not a valid WebSocket opening.
   */
  accept(message: IncomingMessage, socket: Duplex, head: Buffer): AcceptedWebSocket {
    let accepted: WebSocket | undefined;
    this.#server.handleUpgrade(message, socket, head, (websocket) => accepted = websocket);
    const websocket = accepted;
    if (websocket === undefined) {
      throw new TypeError("Cannot accept WebSocket: not a valid opening");
    }
    // The listener began to close while the request waited.
    if (this.#closing) setImmediate(() => askToLeave(websocket));
    const connectNow = (connect: (pipe: Pipe) => PipeListener) => {
      connectEnds(websocket, socket, connect);
    };
    return { response: SWITCHING, connectNow, connectWhenOpen: connectNow };
  }

  /** Asks every client to leave. */
  close(): void {
    this.#closing = true;
    for (const websocket of this.#server.clients) askToLeave(websocket);
  }
}

/**
 * The limits for `ws`. A message may hold as many records as may wait to be dispatched, and one of the
 * largest size. Each fragment, and each packet of an incomplete frame, costs memory beside its bytes:
 * their number is limited, far above the numbers of real clients.
 */
function bounds(limits: Answerer["options"]) {
  const { maximumReceiveMessageSize: largest, maximumQueuedReceiveBytes: queued } = limits;
  const maxPayload = largest === null ? 0 : Math.max(largest, queued);
  const bytes = largest === null ? 0x7fffffff : maxPayload;
  return {
    maxPayload,
    maxFragments: Math.max(1024, Math.ceil(bytes / 1024)),
    maxBufferedChunks: Math.max(4096, Math.ceil(bytes / 256)),
    closeTimeout: CLOSE_TIMEOUT,
  };
}

/** Asks a client to leave; the client's answer has to be read. */
function askToLeave(websocket: WebSocket): void {
  websocket.close(1001, "Server shutting down");
  websocket.resume();
}

/**
 * Answers the first ping of a turn, and the last of those behind it, as RFC 6455, section 5.5.3 allows. `ws`
 * itself would answer each with a write: 64 KiB of pings would take 80 ms.
 */
function answerPings(websocket: WebSocket, listener: PipeListener): void {
  let answered = false;
  let last: Buffer | undefined;
  const answer = (ping: Buffer) => {
    if (websocket.bufferedAmount < MAXIMUM_BUFFERED) websocket.pong(ping);
  };
  const turnEnded = () => {
    if (last !== undefined) answer(last);
    last = undefined;
    answered = false;
  };
  websocket.on("ping", (ping) => {
    if (answered) last = ping;
    else {
      answered = true;
      answer(ping);
      setImmediate(turnEnded);
    }
    // A ping takes time of a turn, as a message does.
    listener.receive(NOTHING);
  });
}

/** Connects the two ends. */
function connectEnds(
  websocket: WebSocket,
  socket: Duplex,
  connect: (pipe: Pipe) => PipeListener,
): void {
  const listener = connect(new WebSocketPipe(websocket, socket));
  websocket.on("message", (data: Buffer, binary: boolean) => {
    listener.receive(
      binary ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data.toString(),
    );
  });
  answerPings(websocket, listener);
  // The client broke the rules and is told so; `ws` would go on reading its bytes until then.
  websocket.on("error", () => {
    listener.pipeClosed(true);
    setImmediate(() => websocket.pause());
  });
  // Both ends have sent a close frame; the socket may stay open until the peer closes it.
  socket.once("finish", () => {
    if (!socket.readableEnded) listener.pipeClosed();
  });
  // 1006: the connection ended without a close frame.
  websocket.on("close", (code: number) => listener.pipeClosed(code === 1006));
}
