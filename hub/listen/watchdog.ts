import { connect } from "node:net";
import type { Logger } from "../definition/logger.ts";

/** The pause between two looks, in milliseconds. */
export const WATCH_INTERVAL = 2000;

/** How many looks a connection of the watchdog may wait: one look may come right after a long pause. */
const MAXIMUM_LOOKS = 2;

/** Ends a connection of the watchdog. */
export type HangUp = () => void;

/** The effects of a {@link Watchdog} on its server. */
export interface Watched {
  /** The address, for the log. */
  readonly address: string;
  /**
   * Connects to the server. Calls `answered` if the server ends the connection, and `failed` if nothing
   * can be said about the server.
   */
  dial(answered: () => void, failed: () => void): HangUp;
  /** Opens the port again. */
  listenAgain(): void;
}

/**
 * Notices that a server accepts no connections any more, and opens its port again. A server on Deno
 * stops to accept, without an error, when its process has run out of file descriptors.
 */
export class Watchdog {
  readonly #server: Watched;
  readonly #logger: Pick<Logger, "error">;
  #accepted = true;
  #hangUp: HangUp | undefined;
  #looks = 0;

  constructor(server: Watched, logger: Pick<Logger, "error">) {
    this.#server = server;
    this.#logger = logger;
  }

  /** The server has accepted a connection. */
  accepted(): void {
    this.#accepted = true;
    this.stop();
  }

  /** To be called once in each {@link WATCH_INTERVAL}. Without other connections it makes one. */
  look(): void {
    if (this.#accepted) {
      this.#accepted = false;
      return;
    }
    if (this.#hangUp === undefined) {
      this.#looks = 0;
      this.#hangUp = this.#server.dial(() => this.accepted(), () => this.stop());
      return;
    }
    if (++this.#looks < MAXIMUM_LOOKS) return;
    this.stop();
    this.#logger.error(
      `${this.#server.address} accepted no connection for ${
        MAXIMUM_LOOKS * WATCH_INTERVAL
      } ms, so it is opened again. The process may have run out of file descriptors: ` +
        "`ulimit -n` must be larger than maximumConnections",
    );
    this.#server.listenAgain();
  }

  /** Ends the connection of the watchdog, if there is one. */
  stop(): void {
    this.#hangUp?.();
    this.#hangUp = undefined;
  }
}

/** Connects to a server of this process: the `dial` of a {@link Watched}. */
export function dial(
  host: string,
  port: number,
  answered: () => void,
  failed: () => void,
): HangUp {
  const socket = connect({ host, port });
  socket.unref();
  let over = false;
  // The server drops connections beyond its maximum, and `end` reports only what is read.
  socket.resume();
  socket.on("end", () => !over && answered());
  socket.on("error", ({ code }: Error & { code?: string }) => {
    // A port that nobody listens on refuses.
    if (!over && code !== "ECONNREFUSED") failed();
  });
  return () => {
    over = true;
    socket.destroy();
  };
}
