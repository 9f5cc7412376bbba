import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import { SocketRequests } from "./socket_requests.ts";

/** The open connections of a server, so that it can end without waiting for idle clients. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** The requests in progress on each connection; upgraded connections are absent. */
  readonly #requests = new Map<Socket, SocketRequests>();
  readonly #maximumRequests: number;
  readonly #log: LimitedLog;
  #ending = false;

  /** At most `maximumRequests` may be in progress on one connection. */
  constructor(server: Server, secure: boolean, maximumRequests: number, log: LimitedLog) {
    this.#maximumRequests = maximumRequests;
    this.#log = log;
    // During the TLS handshake, a connection is known by the socket below it.
    server.on("connection", (socket: Socket) => this.#opened(socket));
    const ready = secure ? "secureConnection" : "connection";
    server.on(ready, (socket: Socket) => this.#ready(socket));
  }

  /** Whether connections end after their requests in progress. */
  get ending(): boolean {
    return this.#ending;
  }

  /** A request has come; `response` answers it. `false` if the connection has too many and was ended. */
  began(message: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = message;
    const requests = this.#requests.get(socket);
    if (requests === undefined || socket.destroyed) return false;
    const taken = requests.begin(message, response, () => {
      if (this.#ending && requests.idle) socket.end();
    });
    if (!taken) this.#tooMany();
    return taken;
  }

  /** The connection carries no requests any more. */
  upgraded(socket: Socket): void {
    this.#requests.delete(socket);
  }

  /** Ends idle connections now, and busy connections after their requests. */
  end(): void {
    this.#ending = true;
    for (const [socket, requests] of this.#requests) if (requests.idle) socket.destroy();
  }

  /** Ends all connections now. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #tooMany(): void {
    const text = `A client sent more requests at once than the ${this.#maximumRequests} that ` +
      "maximumPipelinedRequests allows: its connection is ended";
    this.#log.log("warn", "maximumPipelinedRequests", text);
  }

  #opened(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }

  #ready(socket: Socket): void {
    this.#requests.set(socket, new SocketRequests(socket, this.#maximumRequests));
    socket.once("close", () => {
      const requests = this.#requests.get(socket);
      this.#requests.delete(socket);
      requests?.closed();
    });
    if (this.#ending) socket.destroy();
  }
}
