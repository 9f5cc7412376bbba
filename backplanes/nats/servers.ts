import { sleep } from "../driver/sleep.ts";
import type { NatsServer } from "./address.ts";

/** The first and the longest pause between two rounds of all servers, in milliseconds. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 2000;
/** A connection that lived shorter is counted as one more failure, in milliseconds. */
const STABLE = 2000;

/** Says which server to try next, and how long to wait before. */
export class NatsServers {
  readonly #servers: readonly [NatsServer, ...NatsServer[]];
  #tried = Math.floor(Math.random() * 1024);
  #failures = 0;
  #opened: number | undefined;

  constructor(servers: readonly [NatsServer, ...NatsServer[]]) {
    this.#servers = servers;
  }

  /** The next in turn; where the turn begins is left to chance, so that nodes spread. */
  next(): NatsServer {
    return this.#servers[this.#tried++ % this.#servers.length] ?? this.#servers[0];
  }

  /** The server last tried is in use now. */
  opened(): void {
    this.#opened = performance.now();
  }

  /**
   * Waits after a failure: a moment before the next server of a round, twice as long after each
   * round. Half of it is left to chance, so that nodes which lost a server do not all come back at once.
   */
  pause(signal: AbortSignal): Promise<void> {
    if (this.#opened !== undefined && performance.now() - this.#opened >= STABLE) {
      this.#failures = 0;
    }
    this.#opened = undefined;
    const rounds = ++this.#failures / this.#servers.length;
    const longest = Number.isInteger(rounds)
      ? Math.min(SHORTEST_PAUSE * 2 ** (rounds - 1), LONGEST_PAUSE)
      : SHORTEST_PAUSE;
    return sleep(longest * (0.5 + Math.random() / 2), signal);
  }
}
