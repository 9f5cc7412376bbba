import type { ResolvedConnectionOptions } from "../options/connection.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { type HubMessage, MessageType, type SequenceMessage } from "../protocol/messages.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { type CloseCause, unacknowledged } from "./closing.ts";
import { ResendBuffer } from "./resend_buffer.ts";

/** How long the resend buffer may stay over its size, in milliseconds; as upstream. */
const FULL_TIMEOUT = 5000;

/** The messages that a client and its server have exchanged, as a value. */
export interface SequenceState {
  /** How many messages the client has acknowledged. */
  readonly acknowledged: number;
  /** The contents of the frames that were sent after those. */
  readonly unacknowledged: readonly TextOrBytes[];
  /** How many messages of the client have come. */
  readonly received: number;
}

/**
 * A client that may lose its socket and go on with another: no message is lost or comes twice.
 * `specs/signalr-wire.md §12`.
 *
 * Differs on purpose: upstream holds back the writer while the buffer is full; here no writer waits for a
 * client. Over `statefulReconnectBufferSize` streams wait and the client has 5 s to acknowledge a message,
 * over `maximumBufferedBytes` beside the largest message the connection ends at once.
 */
export class StatefulReconnect {
  /** The frames that the client has not acknowledged. */
  readonly sent: ResendBuffer;
  readonly #limits: ResolvedConnectionOptions;
  /** The number of the next message; less than `#received` while a client sends messages again. */
  #next: number;
  /** The largest number of a message that has come. */
  #received: number;
  #acknowledged: number;
  #lostAt: number | undefined;
  #fullSince: number | undefined;

  constructor(
    { acknowledged, unacknowledged, received }: SequenceState,
    limits: ResolvedConnectionOptions,
  ) {
    this.sent = new ResendBuffer(acknowledged + 1, unacknowledged);
    this.#limits = limits;
    this.#next = received + 1;
    this.#received = this.#acknowledged = received;
  }

  /** The messages as they are now. */
  get state(): SequenceState {
    const { contents: unacknowledged, sequenceId } = this.sent;
    return { acknowledged: sequenceId - 1, unacknowledged, received: this.#received };
  }

  /** The first message on a new pipe: the number of the message that follows. */
  get sequence(): SequenceMessage {
    return { type: MessageType.Sequence, sequenceId: this.sent.sequenceId };
  }

  /** Whether the client has no pipe. */
  get isLost(): boolean {
    return this.#lostAt !== undefined;
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
   * Counts a message; returns whether it is to be handled. Acks, sequences and messages that the client
   * sends again are not.
   *
   * @throws {ProtocolError} if messages are missing.
   */
  takes(message: HubMessage): boolean {
    switch (message.type) {
      case MessageType.Ack:
        // A client that acknowledges is healthy, however full the buffer is again at the next look.
        if (this.sent.acknowledge(message.sequenceId)) this.#fullSince = undefined;
        return false;
      case MessageType.Sequence:
        if (message.sequenceId > this.#received + 1) {
          throw new ProtocolError("Sequence ID greater than amount of messages we've received.");
        }
        this.#next = message.sequenceId;
        return false;
      case MessageType.Ping:
      case MessageType.Close:
        return true;
    }
    const current = this.#next++;
    if (current <= this.#received) return false;
    this.#received = current;
    return true;
  }

  /**
   * Checks the timeouts; called once a second. Returns why the connection ends, if it does. `excused` is
   * whether the client has not taken the messages, or its acknowledgements cannot be heard.
   */
  expired(now: number, excused: boolean): CloseCause | undefined {
    const { disconnectTimeout, statefulReconnectBufferSize } = this.#limits;
    if (excused || this.sent.bytes <= statefulReconnectBufferSize) this.#fullSince = undefined;
    else this.#fullSince ??= now;
    if (now - (this.#lostAt ?? now) > disconnectTimeout) return { gone: true };
    return now - (this.#fullSince ?? now) >= FULL_TIMEOUT ? unacknowledged() : undefined;
  }

  /** The acknowledgement to send, if one is due. */
  takeAck(): SequenceMessage | undefined {
    if (this.#lostAt !== undefined || this.#received === this.#acknowledged) return undefined;
    this.#acknowledged = this.#received;
    return { type: MessageType.Ack, sequenceId: this.#received };
  }
}
