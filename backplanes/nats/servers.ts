import { sleep } from "../driver/sleep.ts";
import type { NatsServer } from "./address.ts";

/** The first and the longest pause between two rounds of all servers, in milliseconds. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 2000;
/** A connection that ends sooner counts as a failure, in milliseconds. */
const STABLE = 2000;

/** Chooses the next server to try, and the pause before it. */
export class NatsServers {
  readonly #servers: readonly [NatsServer, ...NatsServer[]];
  #tried = Math.floor(Math.random() * 1024);
  #failures = 0;
  #opened: number | undefined;

  constructor(servers: readonly [NatsServer, ...NatsServer[]]) {
    this.#servers = servers;
  }

  /** The next server in turn. The first is random, so that nodes spread over the servers. */
  next(): NatsServer {
    return this.#servers[this.#tried++ % this.#servers.length] ?? this.#servers[0];
  }

  /** The server that was last tried is now in use. */
  opened(): void {
    this.#opened = performance.now();
  }

  /**
   * Waits after a failure: briefly before the next server of a round, and twice as long after each
   * round. Half of the pause is random, so that nodes that lost a server do not all return at once.
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
