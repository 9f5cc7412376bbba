import { type HubMessage, MessageType, type SequenceMessage } from "../protocol/messages.ts";
import { type CloseCause, unacknowledged } from "./closing.ts";
import type { ConnectionLimits } from "./parts.ts";
import { ReceiveSequence } from "./receive_sequence.ts";
import type { ResendBuffer } from "./resend_buffer.ts";

/** How long the resend buffer may stay over its size, in milliseconds; as upstream. */
const FULL_TIMEOUT = 5000;

/** What is to be done at a tick. */
export interface StatefulTick {
  /** The connection ends: its client did not come back, or does not acknowledge. */
  readonly expired: boolean;
  readonly cause: CloseCause;
  /** What has come is to be acknowledged. */
  readonly ack: SequenceMessage | undefined;
}

/**
 * A client that may lose its socket and go on with another: nothing is lost, nothing comes twice.
 * `specs/signalr-wire.md §12`.
 *
 * Differs on purpose: upstream holds back the writer while the buffer is full; here nobody is held back
 * by a client. Over `statefulReconnectBufferSize` streams wait and the client has 5 s to acknowledge,
 * over `maximumBufferedBytes` the connection ends at once.
 */
export class StatefulReconnect {
  readonly #sent: ResendBuffer;
  readonly #received = new ReceiveSequence();
  readonly #limits: ConnectionLimits;
  #lostAt: number | undefined;
  #fullSince: number | undefined;

  constructor(sent: ResendBuffer, limits: ConnectionLimits) {
    this.#sent = sent;
    this.#limits = limits;
  }

  /** Whether the client has no pipe now. */
  get away(): boolean {
    return this.#lostAt !== undefined;
  }

  /** The first message on a new pipe: with which one sending goes on. */
  get sequence(): SequenceMessage {
    return { type: MessageType.Sequence, sequenceId: this.#sent.sequenceId };
  }

  /** The pipe was lost. */
  lost(now: number): void {
    this.#lostAt = now;
  }

  /** The client has a pipe again. */
  returned(): void {
    this.#lostAt = undefined;
  }

  /**
   * Counts a message; returns whether it is to be handled: acks and sequences are not, nor is what the
   * client sends again.
   *
   * @throws {ProtocolError} if messages are missing.
   */
  takes(message: HubMessage): boolean {
    switch (message.type) {
      case MessageType.Ack:
        this.#sent.acknowledge(message.sequenceId);
        return false;
      case MessageType.Sequence:
        this.#received.restart(message.sequenceId);
        return false;
      case MessageType.Ping:
      case MessageType.Close:
        return true;
      default:
        return this.#received.accept();
    }
  }

  /** What time demands. */
  tick(now: number): StatefulTick {
    const gone = this.#lostAt !== undefined && now - this.#lostAt > this.#limits.disconnectTimeout;
    if (this.#sent.bytes <= this.#limits.statefulReconnectBufferSize) this.#fullSince = undefined;
    else this.#fullSince ??= now;
    const stuck = this.#fullSince !== undefined && now - this.#fullSince >= FULL_TIMEOUT;
    const sequenceId = this.away ? undefined : this.#received.takeAck();
    return {
      expired: gone || stuck,
      cause: gone ? { gone } : unacknowledged(),
      ack: sequenceId === undefined ? undefined : { type: MessageType.Ack, sequenceId },
    };
  }
}
