import type { ConnectionLimits } from "./parts.ts";

/**
 * Tracks how long a client has been silent. The time of a client starts with its first ping: a client
 * that never pings is never given up. `specs/signalr-wire.md §10`.
 */
export class KeepAlive {
  readonly #limits: ConnectionLimits;
  #pingedAt: number;
  #heardAt: number | undefined;

  constructor(limits: ConnectionLimits, now: number) {
    this.#limits = limits;
    this.#pingedAt = now;
  }

  /** A message has come. */
  heard(now: number, ping: boolean): void {
    if (ping || this.#heardAt !== undefined) this.#heardAt = now;
  }

  /** Nothing is read at the moment: the client cannot be blamed for that time. */
  excuse(now: number): void {
    if (this.#heardAt !== undefined) this.#heardAt = now;
  }

  /** Whether a ping is due; the ping then counts as sent. */
  takePing(now: number): boolean {
    if (now - this.#pingedAt < this.#limits.keepAliveInterval) return false;
    this.#pingedAt = now;
    return true;
  }

  /** Whether the client has been silent for too long. */
  timedOut(now: number): boolean {
    return this.#heardAt !== undefined &&
      now - this.#heardAt >= this.#limits.clientTimeoutInterval;
  }
}
