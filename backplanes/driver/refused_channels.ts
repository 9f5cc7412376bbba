import { BackOff } from "./back_off.ts";
import type { Channel } from "./channel.ts";
import type { Moment } from "./moment.ts";
import type { BackplaneLogger } from "./options.ts";

/** The longest pause before refused channels are asked for again, in milliseconds. */
const LONGEST_RETRY = 30_000;
/** The shortest time between two entries in the log, in milliseconds. */
const LOG_PAUSE = 60_000;

/**
 * The channels that the bus refuses, until it confirms them.
 *
 * The log gets each channel once, and not more than one entry a minute: a bus that refuses one channel
 * of a hub refuses those of every connection.
 */
export class RefusedChannels {
  readonly #channels = new Set<Channel>();
  readonly #logger: BackplaneLogger;
  #permittedSince: Moment | undefined;
  readonly #backOff: BackOff;
  #loggedAt = -Infinity;
  /** How many channels were refused since the last entry. */
  #unlogged = 0;

  /** Calls `retry` for each refused channel, first after `retryDelay` milliseconds. */
  constructor(logger: BackplaneLogger, retryDelay: number, retry: (channel: Channel) => void) {
    this.#logger = logger;
    this.#backOff = new BackOff(retryDelay, LONGEST_RETRY, () => {
      for (const channel of this.#channels) retry(channel);
    });
  }

  /** The bus refused `channel` on `connection`; the log gets that unless somebody waits for the channel. */
  add(channel: Channel, fullName: string, cause: unknown, connection: number): void {
    this.#channels.add(channel);
    this.#backOff.schedule();
    if (!channel.refused(cause, fullName, connection)) this.#log(channel);
  }

  /** The channel was given up. */
  delete(channel: Channel): void {
    channel.refusal = undefined;
    this.#channels.delete(channel);
  }

  /** The bus has confirmed the channel. */
  confirmed(channel: Channel): void {
    const since = channel.refusal?.since;
    if (since === undefined) return;
    this.delete(channel);
    const { steady } = this.#permittedSince ?? since;
    if (since.steady <= steady) this.#permittedSince = since;
  }

  /**
   * Returns since when the bus refused a channel that it has confirmed now, if there is one. The other
   * channels are then soon asked for, too.
   */
  takePermitted(): Moment | undefined {
    const since = this.#permittedSince;
    if (since === undefined) return undefined;
    this.#permittedSince = undefined;
    this.#backOff.reset();
    if (this.#channels.size > 0) this.#backOff.schedule();
    return since;
  }

  /** The connection is lost; the next connection is asked for every channel. */
  disconnected(): void {
    this.#backOff.reset();
  }

  #log({ refusal }: Channel): void {
    if (refusal === undefined || refusal.logged) return;
    refusal.logged = true;
    const now = performance.now();
    if (now - this.#loggedAt < LOG_PAUSE) {
      this.#unlogged++;
      return;
    }
    this.#loggedAt = now;
    const { message, cause } = refusal.error;
    const more = this.#unlogged === 0
      ? ""
      : ` (and ${this.#unlogged} other channels since the last entry)`;
    this.#unlogged = 0;
    this.#logger.error(`${message}. It is asked for again until it is confirmed${more}:`, cause);
  }
}
