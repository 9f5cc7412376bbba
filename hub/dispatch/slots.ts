/** The most calls of a client that may wait for the bus without a slot; further calls keep their slots. */
const MAXIMUM_SENDING = 256;

/** The limits of {@link Slots}. */
export interface SlotLimits {
  readonly maximumParallelInvocationsPerClient: number;
  readonly maximumBackgroundInvocationsPerClient: number;
}

/**
 * Counts the calls of one client.
 *
 * - **Running** calls hold a slot each. While all slots are taken, no further plain call begins.
 * - **Sending** calls have ended with a `send` that the bus has not accepted yet. They hold no slot.
 * - **Background** calls are all others: streams, calls with uploads, calls that wait for a client.
 */
export class Slots {
  readonly #limits: SlotLimits;
  #taken = 0;
  #sending = 0;
  #wake: (() => void) | undefined;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Whether all slots are taken. */
  get full(): boolean {
    return this.#taken >= this.#limits.maximumParallelInvocationsPerClient;
  }

  /** Whether no further call may begin if the client has `calls` under way. */
  exceededBy(calls: number): boolean {
    const background = calls - this.#taken - this.#sending;
    return background >= this.#limits.maximumBackgroundInvocationsPerClient;
  }

  /** Resolves when a slot is free, or at {@link wake}. One call waits at a time. */
  untilFree(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Ends the wait of {@link untilFree}. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** A call begins to run. */
  take(): void {
    this.#taken++;
  }

  /** A running call has ended, or goes on in the background. */
  free(): void {
    this.#taken--;
    this.wake();
  }

  /** A running call has ended but for the bus; returns whether it may go on without its slot. */
  beginSending(): boolean {
    if (this.#sending >= MAXIMUM_SENDING) return false;
    this.#sending++;
    this.free();
    return true;
  }

  /** The bus has settled a `send`. */
  endSending(): void {
    this.#sending--;
  }
}
