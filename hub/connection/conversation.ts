import { type HubMessage, MessageType } from "../protocol/messages.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import { clientTimeout, drainTimedOut } from "./closing.ts";
import { Inbox, type InboxListener } from "./inbox.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { ConnectionParts } from "./parts.ts";
import { type SequenceState, StatefulReconnect } from "./stateful_reconnect.ts";

/** Where a client and its server stand, as a value: a conversation begins or goes on from it. */
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

/** A connection after its handshake. */
export class Conversation {
  readonly protocol: HubProtocol;
  readonly inbox: Inbox;
  readonly keepAlive: KeepAlive;
  /** Absent if the client may not come back on another pipe. */
  readonly reconnect: StatefulReconnect | undefined;
  /** Whether the hub has admitted the client. */
  admitted = false;
  /** Settles when the hub has admitted or refused the client. */
  opening: Promise<void> | undefined;
  /** When the client has gone; its last messages have a limited time from then on. */
  goneAt: number | undefined;
  readonly #parts: ConnectionParts;
  readonly #owner: ConversationOwner;

  constructor(
    { protocol, sequence }: ConversationState,
    parts: ConnectionParts,
    owner: ConversationOwner,
  ) {
    const { limits, clock } = parts;
    this.protocol = protocol;
    this.#parts = parts;
    this.#owner = owner;
    this.inbox = new Inbox(protocol, parts, owner);
    this.keepAlive = new KeepAlive(limits, clock.now());
    this.reconnect = sequence && new StatefulReconnect(sequence, limits);
  }

  /**
   * Notes that a message has come; returns whether it is to be handled.
   *
   * @throws {ProtocolError} if messages are missing before it.
   */
  takes(message: HubMessage): boolean {
    const ping = message.type === MessageType.Ping;
    this.keepAlive.heard(this.#parts.clock.now(), ping);
    return this.reconnect?.takes(message) !== false && !ping;
  }

  /** Checks the timeouts, once a second; `pinging` is whether the pipe needs pings. */
  tick(now: number, pinging: boolean): void {
    const expired = this.reconnect?.expired(now);
    if (expired !== undefined) return this.#owner.close(expired);
    const ack = this.reconnect?.takeAck();
    if (ack !== undefined) this.#owner.send(ack);
    if (!pinging) return;
    if (this.keepAlive.takePing(now)) this.#owner.send({ type: MessageType.Ping });
    if (this.inbox.blocked) this.keepAlive.excuse(now);
    else if (this.keepAlive.timedOut(now)) {
      this.#owner.close(clientTimeout(this.#parts.limits.detailedErrors));
    }
  }

  /** Reads no more if the client has gone and its last messages take too long. */
  checkDrain(now: number): void {
    const { disconnectTimeout } = this.#parts.limits;
    if (now - (this.goneAt ?? now) > disconnectTimeout) this.inbox.stop(drainTimedOut());
  }
}
