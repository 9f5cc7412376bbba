import { ProtocolError } from "../protocol/protocol_error.ts";

/**
 * Counts the messages of a client, so that messages that are sent again after a reconnect are recognised.
 * `specs/signalr-wire.md §12`.
 */
export class ReceiveSequence {
  #next: number;
  #latest: number;
  #acknowledged: number;

  /** `received` is how many messages came before. */
  constructor(received: number) {
    this.#next = received + 1;
    this.#latest = this.#acknowledged = received;
  }

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

  /** The number to acknowledge, if the number has grown since the last time. */
  takeAck(): number | undefined {
    if (this.#latest === this.#acknowledged) return undefined;
    return this.#acknowledged = this.#latest;
  }
}
