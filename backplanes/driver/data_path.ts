import { BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { type Moment, now } from "./moment.ts";
import { Probe } from "./probe.ts";

/** The data path is probed once while each connection is probed so often. */
const CONNECTION_PROBES = 5;

/** The events of a {@link DataPath}. */
export interface DataPathEvents {
  /** A message has come back, or the bus refuses such messages, so that the path cannot be probed. */
  verified(): void;
  /** A message has not come back in time: messages may have been missed since `since`. */
  lost(error: Error, since: Moment): void;
  /** The bus refuses the messages. */
  refused(error: Error): void;
}

/**
 * Publishes a few bytes now and then, and listens for them. A driver with two connections needs that:
 * each can answer every probe of its own and lead to servers that do not hear each other.
 */
export class DataPath {
  readonly #publish: (payload: Uint8Array) => Promise<unknown>;
  readonly #events: DataPathEvents;
  readonly #timeout: number;
  readonly #probe: Probe;
  #number = 0;
  #since: Moment | undefined;
  #verified = false;
  #heard: (() => void) | undefined;

  /** `publish` sends a payload to the channel of the driver's own; {@link heard} gets it back. */
  constructor(
    options: { readonly probeInterval: number; readonly probeTimeout: number },
    publish: (payload: Uint8Array) => Promise<unknown>,
    events: DataPathEvents,
  ) {
    const { probeInterval, probeTimeout } = options;
    this.#publish = publish;
    this.#events = events;
    // The message takes the ways of two connections, and a probe of each may take `probeTimeout`.
    this.#timeout = 2 * probeTimeout;
    this.#probe = new Probe({
      probeInterval: CONNECTION_PROBES * probeInterval,
      probeTimeout: this.#timeout,
    });
  }

  /** Whether messages come back, as far as anybody knows. */
  get verified(): boolean {
    return this.#verified;
  }

  /** How long the last message took to come back, in milliseconds; `undefined` before the first. */
  get roundTrip(): number | undefined {
    return this.#probe.roundTrip;
  }

  /** The subscribing connection was made; nothing is missing that was published before this moment. */
  begin(): void {
    this.#since = now();
  }

  /** Probes at once and then again and again, until stopped. */
  start(): void {
    this.#probe.start(() => this.#send(), () => {
      this.stop();
      const error = new BackplaneUnavailableError(
        "the subscribing connection does not hear what the publishing connection publishes " +
          `(not within ${this.#timeout} ms)`,
      );
      this.#events.lost(error, this.#since ?? now());
    }, 0);
  }

  /** Does without probes: the bus refuses the channel. */
  skip(): void {
    this.stop();
    this.#verify();
  }

  /** Stops probing; one of the connections is lost. */
  stop(): void {
    this.#probe.stop();
    this.#verified = false;
    this.#heard = undefined;
  }

  /** Takes a payload that was received on the channel of the driver's own. */
  heard(payload: Uint8Array): void {
    if (decode(payload) === this.#number) this.#heard?.();
  }

  #send(): Promise<void> {
    const sent = now();
    const { promise, resolve } = Promise.withResolvers<void>();
    const heard = this.#heard = () => {
      this.#heard = undefined;
      this.#since = sent;
      resolve();
      this.#verify();
    };
    this.#publish(encode(++this.#number)).catch((error: unknown) => {
      // A lost connection stops the probes, and the timeout bounds a late answer.
      const refused = error instanceof BackplaneError &&
        !(error instanceof BackplaneUnavailableError);
      if (!refused || this.#heard !== heard) return;
      this.#events.refused(error);
      this.skip();
    });
    return promise;
  }

  #verify(): void {
    if (this.#verified) return;
    this.#verified = true;
    this.#events.verified();
  }
}

function encode(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function decode(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
