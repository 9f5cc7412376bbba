import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * The requests of one socket that are under way: a request is, until the whole answer has left this
 * process. A client can send thousands of requests in one packet, and need not read the answers.
 */
export class SocketRequests {
  readonly #socket: Socket;
  readonly #maximum: number;
  readonly #underWay = new Set<ServerResponse>();
  /** Ends the pause that the largest number of requests brings. */
  #readOn: (() => void) | undefined;

  constructor(socket: Socket, maximum: number) {
    this.#socket = socket;
    this.#maximum = maximum;
  }

  /** Whether no request is under way. */
  get idle(): boolean {
    return this.#underWay.size === 0;
  }

  /**
   * Counts a request until `response` has left, and then calls `ended`. At the largest number the socket
   * is not read until all answers have left; `false` if a packet held even more requests: then the
   * socket is destroyed.
   */
  begin(message: IncomingMessage, response: ServerResponse, ended: () => void): boolean {
    if (this.#underWay.size >= this.#maximum) {
      this.#socket.destroy();
      return false;
    }
    this.#underWay.add(response);
    response.once("close", () => {
      this.#underWay.delete(response);
      if (this.idle) this.#readOn?.();
      ended();
    });
    if (this.#underWay.size === this.#maximum) this.#pauseAfter(message);
    return true;
  }

  /** The socket has closed. `node:http` tells only the response that was being sent. */
  closed(): void {
    for (const response of this.#underWay) {
      response.destroy();
      response.emit("close");
    }
  }

  /** Reads nothing behind the end of `message`. */
  #pauseAfter(message: IncomingMessage): void {
    const socket = this.#socket;
    const pause = () => {
      if (message.complete && this.#readOn !== undefined) socket.pause();
    };
    // `node:http` resumes the socket for each body, and behind each message.
    socket.on("resume", pause);
    message.on("end", pause);
    this.#readOn = () => {
      this.#readOn = undefined;
      socket.off("resume", pause);
      message.off("end", pause);
      socket.resume();
    };
    // A message without a body is complete when its packet has been read.
    queueMicrotask(pause);
  }
}
