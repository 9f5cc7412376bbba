import { ProtocolError } from "../protocol/protocol.ts";

/**
 * Counts what a client sends, so that what it sends again after a reconnect is recognised.
 * `specs/signalr-wire.md §12`.
 */
export class ReceiveSequence {
  #next = 1;
  #latest = 0;
  #acknowledged = 0;

  /** Counts a message; returns whether it is new. */
  accept(): boolean {
    const current = this.#next++;
    if (current <= this.#latest) return false;
    this.#latest = current;
    return true;
  }

  /**
   * The client goes on with message `sequenceId`.
   *
   * @throws {ProtocolError} if messages before it never came.
   */
  restart(sequenceId: number): void {
    if (sequenceId > this.#latest + 1) {
      throw new ProtocolError("Sequence ID greater than amount of messages we've received.");
    }
    this.#next = sequenceId;
  }

  /** The number to acknowledge, if it has advanced since the last time. */
  takeAck(): number | undefined {
    if (this.#latest === this.#acknowledged) return undefined;
    return this.#acknowledged = this.#latest;
  }
}
