import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The open connections of a server, so that it can end without waiting for idle clients. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** The number of requests in progress on each connection; upgraded connections are absent. */
  readonly #requests = new Map<Socket, number>();
  #ending = false;

  constructor(server: Server, secure: boolean) {
    // During the TLS handshake, a connection is known by the socket below it.
    server.on("connection", (socket: Socket) => this.#opened(socket));
    const ready = secure ? "secureConnection" : "connection";
    server.on(ready, (socket: Socket) => this.#ready(socket));
  }

  /** Whether connections end after their requests in progress. */
  get ending(): boolean {
    return this.#ending;
  }

  /** A request has come; `response` answers it. */
  began(socket: Socket, response: ServerResponse): void {
    this.#count(socket, 1);
    response.once("close", () => this.#count(socket, -1));
  }

  /** The connection carries no requests any more. */
  upgraded(socket: Socket): void {
    this.#requests.delete(socket);
  }

  /** Ends idle connections now, and busy connections after their requests. */
  end(): void {
    this.#ending = true;
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
  }

  /** Ends all connections now. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #opened(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }

  #ready(socket: Socket): void {
    this.#requests.set(socket, 0);
    socket.once("close", () => this.#requests.delete(socket));
    if (this.#ending) socket.destroy();
  }

  #count(socket: Socket, more: number): void {
    const requests = this.#requests.get(socket);
    if (requests === undefined) return;
    this.#requests.set(socket, requests + more);
    if (this.#ending && requests + more === 0) socket.end();
  }
}
