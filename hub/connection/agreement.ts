import { describe } from "../error_texts.ts";
import { type ProtocolChoice, ProtocolRefusal } from "../protocol/choice.ts";
import { parseHandshake } from "../protocol/handshake.ts";
import type { HandshakeRecord } from "../protocol/handshake_reader.ts";
import type { HubProtocol } from "../protocol/protocol.ts";

/** What a client and its server speak from now on. */
export interface Agreement {
  readonly protocol: HubProtocol;
  /** The version of the protocol; from 2 on a client can come back. */
  readonly version: number;
}

/** What a handshake comes to: an agreement, or why there is none, in words for the client. */
export function agree(
  { record }: HandshakeRecord,
  protocols: ProtocolChoice,
  { textOnly, detailedErrors }: {
    readonly textOnly: boolean | undefined;
    readonly detailedErrors: boolean;
  },
): Agreement | string {
  try {
    const request = parseHandshake(record);
    return { protocol: protocols.choose(request, textOnly), version: request.version };
  } catch (error) {
    if (error instanceof ProtocolRefusal) return error.message;
    const detail = detailedErrors ? ` ${describe(error as Error)}` : "";
    return `An unexpected error occurred during connection handshake.${detail}`;
  }
}
