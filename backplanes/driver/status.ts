import type { BackplaneStatus, BackplaneStatusEvent } from "../backplane.ts";
import type { BackplaneLogger } from "./options.ts";

/** Holds a driver's status and tells its listeners of each change and gap. */
export class StatusSource {
  #status: BackplaneStatus;
  #error: Error | undefined;
  readonly #listeners = new Set<
    { call: (event: BackplaneStatusEvent) => void }
  >();
  readonly #logger: BackplaneLogger;

  constructor(status: BackplaneStatus, logger: BackplaneLogger) {
    this.#status = status;
    this.#logger = logger;
  }

  /** The status now. */
  get status(): BackplaneStatus {
    return this.#status;
  }

  /** The error of the last event that had one: why the bus is away, or why it is closed. */
  get error(): Error | undefined {
    return this.#error;
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
    for (const listener of [...this.#listeners]) {
      try {
        listener.call(event);
      } catch (error) {
        this.#logger.error("Backplane status listener failed:", error);
      }
    }
    if (event.status === "closed") this.#listeners.clear();
  }
}
