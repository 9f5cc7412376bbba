import type { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Writable } from "node:stream";
import type { AcceptedWebSocket, AcceptWebSocket, Answerer } from "../transports/acceptor.ts";
import type { Connections } from "./connections.ts";
import type { ResolvedListenOptions } from "./options.ts";
import { requestOf } from "./request.ts";
import { send, sendRaw } from "./response.ts";
import type { WebSockets } from "./web_sockets.ts";

/** The parts of a {@link Handler}. */
export interface HandlerParts {
  readonly answerer: Answerer;
  readonly webSockets: WebSockets;
  readonly connections: Connections;
  readonly options: ResolvedListenOptions;
}

/** Answers the requests of `node:http`: the hubs come first, then the application. */
export class Handler {
  readonly #parts: HandlerParts;
  readonly #scheme: string;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.#scheme = parts.options.tls === undefined ? "http" : "https";
  }

  /** Answers a request. Never rejects. */
  async request(message: IncomingMessage, target: ServerResponse): Promise<void> {
    if (!this.#parts.connections.began(message, target)) return;
    // `close` reports that a client has vanished.
    message.on("error", () => {});
    target.on("error", () => {});
    await this.#answering(this.#request(message, target), target);
  }

  /** Answers a request to upgrade, and owns the socket. Never rejects. */
  async upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => {});
    await this.#answering(this.#upgrade(message, socket, head), socket);
  }

  /** Logs a failure: the application may have answered with something that cannot be sent. */
  async #answering(sent: Promise<void>, target: Writable): Promise<void> {
    try {
      await sent;
    } catch (error) {
      this.#parts.answerer.limitedLog.failure("An answer could not be sent:", error);
      target.destroy();
    }
  }

  async #request(message: IncomingMessage, target: ServerResponse): Promise<void> {
    const { answerer, connections } = this.#parts;
    const turn = answerer.turn();
    if (turn !== undefined) await turn;
    const response = await this.#answer(message, target, refuseWebSocket);
    // The unread part of a body would come before the next request.
    if (!message.complete || connections.ending) target.setHeader("connection", "close");
    await send(response, target, message.method === "HEAD");
  }

  async #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { connections, webSockets } = this.#parts;
    connections.upgraded(message.socket);
    let accepted: AcceptedWebSocket | undefined;
    const accept = () => accepted = webSockets.accept(message, socket, head);
    const response = hasBody(message)
      // Node before 22.21 upgrades to everything, and does not read the body any more.
      ? new Response("A request to upgrade cannot have a body", { status: 400 })
      : await this.#answer(message, socket, accept);
    // Accepting the WebSocket has answered the request.
    if (accepted !== undefined) return;
    await sendRaw(response, socket, message.method === "HEAD");
  }

  async #answer(
    message: IncomingMessage,
    target: Writable,
    accept: AcceptWebSocket,
  ): Promise<Response> {
    const { answerer, options } = this.#parts;
    const gone = new AbortController();
    target.once("close", () => {
      if (!target.writableFinished) gone.abort();
    });
    const { origin, hostname } = options;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const parts = { origin, scheme: this.#scheme, host, signal: gone.signal };
    const request = requestOf(message, parts);
    if (request === undefined) return new Response(null, { status: 400 });
    try {
      return await (answerer.answer(request, accept) ?? options.fetch?.(request)) ??
        new Response(null, { status: 404 });
    } catch (error) {
      const text = `${request.method} ${new URL(request.url).pathname} failed:`;
      // The text of the error may repeat the URL, which a client chooses.
      answerer.limitedLog.failure("fetch failed:", error, text);
      return new Response(null, { status: 500 });
    }
  }
}

/**
 * Whether a request asks to become a WebSocket. Other upgrades are ignored: Java's client offers `h2c`
 * with each POST.
 */
export function opensWebSocket(message: IncomingMessage): boolean {
  const { method, headers: { upgrade } } = message;
  return method === "GET" && upgrade?.toLowerCase() === "websocket" && !hasBody(message);
}

function refuseWebSocket(): never {
  throw new TypeError("Cannot accept WebSocket: no request to upgrade");
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}
