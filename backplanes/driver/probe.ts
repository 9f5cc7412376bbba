import { BackplaneUnavailableError } from "../errors.ts";
import { type Moment, now } from "./moment.ts";

/** A late timer proves that this thread was busy: an answer may lie unread for so long, in milliseconds. */
const GRACE = 100;

/**
 * Asks the bus again and again whether it still answers, and remembers since when a message may be
 * missing.
 *
 * An answer queues behind everything the bus had accepted before the probe: so the moment the last
 * *answered* probe was **sent** is the moment up to which nothing is missing. A received message
 * proves nothing; it may be seconds old.
 */
export class Probe {
  readonly #interval: number;
  readonly #timeout: number;
  #since: Moment | undefined;
  #roundTrip: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #run = 0;

  constructor(options: { readonly probeInterval: number; readonly probeTimeout: number }) {
    this.#interval = options.probeInterval;
    this.#timeout = options.probeTimeout;
  }

  /** When the last answered probe was sent; `undefined` before the first. */
  get since(): Moment | undefined {
    return this.#since;
  }

  /** How long the last answered probe took, in milliseconds; `undefined` before the first. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  /** Notes that the bus answered what was sent at `sent`; a confirmed subscription is an answer too. */
  answered(sent: Moment): void {
    if (this.#since === undefined || this.#since.steady < sent.steady) this.#since = sent;
  }

  /**
   * Probes with `send` until stopped; calls `lost` once when an answer stays away for the timeout.
   * A `send` that rejects is left to the driver, which learns of a cut connection by itself. The
   * first probe is sent after `pause` milliseconds.
   */
  start(
    send: () => Promise<unknown>,
    lost: (error: Error) => void,
    pause: number = this.#interval,
  ): void {
    this.stop();
    const run = this.#run;
    const probe = () => {
      const sent = now();
      let unanswered = true;
      this.#timer = setTimeout(() => {
        this.#timer = setTimeout(() => {
          if (run !== this.#run || !unanswered) return;
          this.stop();
          lost(
            new BackplaneUnavailableError(
              `Cannot reach the bus: no answer within ${this.#timeout} ms`,
            ),
          );
        }, GRACE);
      }, this.#timeout);
      send().then(() => {
        if (run !== this.#run) return;
        unanswered = false;
        clearTimeout(this.#timer);
        this.answered(sent);
        this.#roundTrip = performance.now() - sent.steady;
        this.#timer = setTimeout(
          probe,
          Math.max(0, sent.steady + this.#interval - performance.now()),
        );
      }, () => {});
    };
    this.#timer = setTimeout(probe, pause);
  }

  /** Stops probing; `since` stays. */
  stop(): void {
    this.#run++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
