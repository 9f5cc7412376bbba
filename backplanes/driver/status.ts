import type { BackplaneStatus, BackplaneStatusEvent } from "../backplane.ts";
import { BackplaneUnavailableError } from "../errors.ts";
import type { BackplaneLogger } from "./options.ts";

/**
 * Holds a driver's status and tells its listeners of each change and gap.
 *
 * The log gets the first error of an outage, the end of the outage, and the error that closes the
 * backplane: nobody may listen, and an operator must learn why a node hears no other.
 */
export class StatusSource {
  #status: BackplaneStatus;
  #error: Error | undefined;
  readonly #listeners = new Set<
    { call: (event: BackplaneStatusEvent) => void }
  >();
  readonly #logger: BackplaneLogger;
  readonly #bus: string | null;
  /** Whether the log has an error of the present outage. */
  #logged = false;

  /** `bus` is the name of the bus in texts; `null` if somebody else logs the outages. */
  constructor(status: BackplaneStatus, logger: BackplaneLogger, bus: string | null = "the bus") {
    this.#status = status;
    this.#logger = logger;
    this.#bus = bus;
  }

  /** The status now. */
  get status(): BackplaneStatus {
    return this.#status;
  }

  /** The error of the last event that had one: why the bus is away, or why it is closed. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Returns the error of a publish while the bus is away; `text` is used if no reason is known. */
  away(text: string): BackplaneUnavailableError {
    const cause = this.#error;
    const options = { ...cause && { cause }, handedOver: false };
    return new BackplaneUnavailableError(cause?.message ?? text, options);
  }

  /** Adds a listener until the returned object is disposed. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Moves to `event.status` and tells everyone. Nothing follows `closed`. */
  emit(event: BackplaneStatusEvent): void {
    if (this.#status === "closed") return;
    this.#status = event.status;
    if (event.status === "open") this.#error = undefined;
    if (event.error !== undefined) this.#error = event.error;
    this.#log(event);
    const failed = (error: unknown) =>
      this.#logger.error("Backplane status listener failed:", error);
    for (const listener of [...this.#listeners]) {
      try {
        const returned: unknown = listener.call(event);
        if (returned instanceof Promise) returned.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
    if (event.status === "closed") this.#listeners.clear();
  }

  #log({ status, error }: BackplaneStatusEvent): void {
    if (this.#bus === null) return;
    if (status === "open") {
      if (this.#logged) this.#logger.warn(`Reached ${this.#bus}: the backplane is open`);
      this.#logged = false;
    } else if (error !== undefined && status === "closed") this.#logger.error(error.message);
    else if (error !== undefined && !this.#logged) {
      this.#logged = true;
      this.#logger.error(`${error.message}; trying again`);
    }
  }
}
