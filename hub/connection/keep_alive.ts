/** Times of {@link KeepAlive}, in milliseconds. */
export interface KeepAliveTimes {
  readonly keepAliveInterval: number;
  readonly clientTimeoutInterval: number;
}

/**
 * Who has been silent for how long. The clock of a client starts with its first ping: one that never
 * pings is never given up. `specs/signalr-wire.md §10`.
 */
export class KeepAlive {
  readonly #times: KeepAliveTimes;
  #pingedAt: number;
  #heardAt: number | undefined;

  constructor(times: KeepAliveTimes, now: number) {
    this.#times = times;
    this.#pingedAt = now;
  }

  /** A message has come. */
  heard(now: number, ping: boolean): void {
    if (ping || this.#heardAt !== undefined) this.#heardAt = now;
  }

  /** Nothing is read for the moment: the client cannot be blamed for that time. */
  excuse(now: number): void {
    if (this.#heardAt !== undefined) this.#heardAt = now;
  }

  /** Whether a ping is due; it then counts as sent. */
  takePing(now: number): boolean {
    if (now - this.#pingedAt < this.#times.keepAliveInterval) return false;
    this.#pingedAt = now;
    return true;
  }

  /** Whether the client has been silent for too long. */
  timedOut(now: number): boolean {
    return this.#heardAt !== undefined &&
      now - this.#heardAt >= this.#times.clientTimeoutInterval;
  }
}
