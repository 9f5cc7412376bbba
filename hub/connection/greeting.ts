import type { TextOrBytes } from "../protocol/frame.ts";
import { parseHandshake } from "../protocol/handshake.ts";
import { HandshakeReader, type HandshakeRecord } from "../protocol/handshake_reader.ts";
import { chooseProtocol } from "../protocol/protocols.ts";
import type { ConversationState } from "./conversation.ts";
import { describe } from "./error_texts.ts";
import type { ConnectionParts } from "./parts.ts";
import type { SequenceState } from "./stateful_reconnect.ts";

/** A handshake that has succeeded. */
export interface Agreement extends ConversationState {
  /** The messages behind the handshake. */
  readonly rest: TextOrBytes;
}

const NEW_SEQUENCE: SequenceState = { acknowledged: 0, unacknowledged: [], received: 0 };

/** A connection before its handshake. */
export class Greeting {
  readonly #parts: ConnectionParts;
  readonly #mayReturn: boolean;
  readonly #reader: HandshakeReader;
  readonly #startedAt: number;

  /** `mayReturn` is whether the client has negotiated that it may come back on another pipe. */
  constructor(parts: ConnectionParts, mayReturn = false) {
    this.#parts = parts;
    this.#mayReturn = mayReturn;
    this.#reader = new HandshakeReader(parts.limits.maximumReceiveMessageSize);
    this.#startedAt = parts.clock.now();
  }

  /** Whether the client has taken too long. */
  timedOut(now: number): boolean {
    return now - this.#startedAt >= this.#parts.limits.handshakeTimeout;
  }

  /**
   * Adds a chunk. Returns an agreement, or the reason of a refusal for the client, or `undefined` if
   * the handshake is not complete. `textOnly` is whether the pipe cannot carry bytes.
   */
  receive(chunk: TextOrBytes, textOnly: boolean | undefined): Agreement | string | undefined {
    let handshake: HandshakeRecord | undefined;
    try {
      handshake = this.#reader.push(chunk);
    } catch {
      return "Handshake was canceled.";
    }
    if (handshake === undefined) return undefined;
    try {
      const request = parseHandshake(handshake.record);
      const protocol = chooseProtocol(request, textOnly);
      if (typeof protocol === "string") return protocol;
      // Version 1 has no reconnect, even if it was negotiated.
      const sequence = this.#mayReturn && request.version > 1 ? NEW_SEQUENCE : undefined;
      return { protocol, sequence, rest: handshake.rest };
    } catch (error) {
      const { detailedErrors } = this.#parts.limits;
      const detail = detailedErrors ? ` ${describe(error as Error)}` : "";
      return `An unexpected error occurred during connection handshake.${detail}`;
    }
  }
}
