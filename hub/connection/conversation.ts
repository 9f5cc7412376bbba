import { Frame } from "../protocol/frame.ts";
import { type HubMessage, MessageType } from "../protocol/messages.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import { checkSendSize } from "../protocol/send_size.ts";
import { clientTimeout, drainTimedOut, failed } from "./closing.ts";
import { isCall } from "./call_queue.ts";
import { Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";
import type { ConnectionParts, InboxListener } from "./parts.ts";
import type { Pipe } from "./pipe.ts";
import { type SequenceState, StatefulReconnect } from "./stateful_reconnect.ts";

/** The state of a client and its server, as a value: a conversation begins or continues from it. */
export interface ConversationState {
  readonly protocol: HubProtocol;
  /** Absent if the client may not come back on another pipe. */
  readonly sequence: SequenceState | undefined;
}

/** The connection that a {@link Conversation} belongs to. */
export interface ConversationOwner extends InboxListener {
  /** Writes a message to the client. */
  send(message: HubMessage): void;
}

/** A connection after its handshake. Pings and timeouts: `specs/signalr-wire.md §10`. */
export class Conversation {
  readonly protocol: HubProtocol;
  readonly inbox: Inbox;
  /** Absent if the client may not come back on another pipe. */
  readonly reconnect: StatefulReconnect | undefined;
  /** Whether the hub has admitted the client. */
  admitted = false;
  /** When the client has gone; its last messages have a limited time from then on. */
  goneAt: number | undefined;
  /** Whether the next call stays unread, and everything behind that call; and whether it has come. */
  #holding = false;
  #held = false;
  readonly #parts: ConnectionParts;
  readonly #owner: ConversationOwner;
  #opening: Promise<void> | undefined;
  #pingedAt: number;
  /** The time of a client begins with its first ping; a client that never pings never times out. */
  #heardAt: number | undefined;

  constructor(
    { protocol, sequence }: ConversationState,
    parts: ConnectionParts,
    owner: ConversationOwner,
  ) {
    this.protocol = protocol;
    this.#parts = parts;
    this.#owner = owner;
    this.inbox = new Inbox(protocol, parts, owner);
    this.#pingedAt = parts.clock.now();
    this.reconnect = sequence && new StatefulReconnect(sequence, parts.limits);
  }

  /** Settles when the hub has admitted or refused the client. */
  get opening(): Promise<void> | undefined {
    return this.#opening;
  }

  /** The state of the conversation, if it can go on elsewhere now: no message that was read waits. */
  get movable(): ConversationState | undefined {
    if (!this.admitted || this.#opening !== undefined || !this.inbox.idle) return undefined;
    return { protocol: this.protocol, sequence: this.reconnect?.state };
  }

  /**
   * Leaves further calls unread until the client has come back: it sends them again. What the client sends
   * before its next call may be what a running call needs.
   */
  holdCalls(): void {
    this.#holding = true;
  }

  /** The client has no pipe, and may come back on another one. */
  pipeLost(): void {
    this.inbox.dropPartial();
    this.reconnect?.lost(this.#parts.clock.now());
  }

  /** The client has a pipe again. */
  returned(): void {
    this.#holding = this.#held = false;
    this.inbox.dropPartial();
    this.reconnect?.returned();
    this.excuse(this.#parts.clock.now());
  }

  /** Asks the hub with `opened`; messages are read once the hub has admitted the client. */
  admit(opened: () => Promise<unknown> | undefined): void {
    this.#opening = this.#admit(opened);
  }

  /**
   * The frame of a message in the client's protocol.
   *
   * @throws {TypeError} if a value cannot be serialised.
   * @throws {RangeError} if the message is too large; answers without a result have no limit.
   */
  frame(message: HubMessage): Frame {
    const content = this.protocol.write(message);
    if (isLimited(message)) {
      checkSendSize(content, this.#parts.limits.maximumSendMessageSize);
    }
    return new Frame(content);
  }

  /**
   * Notes that a message has come; returns whether it is to be handled.
   *
   * @throws {ProtocolError} if messages are missing before it.
   */
  takes(message: HubMessage): boolean {
    const ping = message.type === MessageType.Ping;
    if (ping || this.#heardAt !== undefined) this.#heardAt = this.#parts.clock.now();
    if (this.#holding && (this.#held ||= isCall(message)) && isCounted(message)) return false;
    return this.reconnect?.takes(message) !== false && !ping;
  }

  /** Forgives the silence of the client: it could not be heard. */
  excuse(now: number): void {
    if (this.#heardAt !== undefined) this.#heardAt = now;
  }

  /**
   * Checks the timeouts, once a second. While the outbox is full no ping and no ack is sent: the client is
   * taking a large message, and the outbox would refuse them.
   */
  tick(now: number, pipe: Pipe | undefined, { sending, full }: Outbox): void {
    const { keepAliveInterval, clientTimeoutInterval, detailedErrors } = this.#parts.limits;
    const expired = this.reconnect?.expired(now, sending || this.inbox.deaf);
    if (expired !== undefined) return this.#owner.close(expired);
    const ack = full ? undefined : this.reconnect?.takeAck();
    if (ack !== undefined) this.#owner.send(ack);
    if (pipe === undefined || pipe.inherentKeepAlive) return;
    if (!full && now - this.#pingedAt >= keepAliveInterval) {
      this.#pingedAt = now;
      this.#owner.send({ type: MessageType.Ping });
    }
    if (this.inbox.deaf) this.excuse(now);
    else if (now - (this.#heardAt ?? now) >= clientTimeoutInterval) {
      this.#owner.close(clientTimeout(detailedErrors));
    }
  }

  /** Reads no more if the client has gone and its last messages take too long. */
  checkDrain(now: number): void {
    const { disconnectTimeout } = this.#parts.limits;
    if (now - (this.goneAt ?? now) > disconnectTimeout) this.inbox.stop(drainTimedOut());
  }

  async #admit(opened: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await opened();
      this.admitted = true;
    } catch (error) {
      this.#owner.close(failed(error as Error, this.#parts.limits.detailedErrors, false));
    }
    this.#opening = undefined;
    if (this.admitted) this.inbox.unblock();
  }
}

/**
 * Whether the size of a message is limited. The messages of the connection itself are small. The error that
 * answers a call repeats the call's id, so a limit would let a client choose an answer that cannot be sent.
 */
function isLimited(message: HubMessage): boolean {
  if (message.type === MessageType.Completion) return message.result !== undefined;
  return message.type < MessageType.Completion;
}

/** Whether a message has a number: a client that comes back sends it again if it was not read. */
function isCounted({ type }: HubMessage): boolean {
  return type < MessageType.Ping;
}
