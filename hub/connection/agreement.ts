import { describe } from "./error_texts.ts";
import { type ProtocolChoice, ProtocolRefusal } from "../protocol/choice.ts";
import { parseHandshake } from "../protocol/handshake.ts";
import type { HandshakeReader, HandshakeRecord } from "../protocol/handshake_reader.ts";
import type { Frame, HubProtocol } from "../protocol/protocol.ts";

/** What a client and its server speak from now on. */
export interface Agreement {
  readonly protocol: HubProtocol;
  /** The version of the protocol; from 2 on a client can come back. */
  readonly version: number;
  /** What came behind the handshake. */
  readonly rest: Frame;
}

/**
 * What a handshake comes to with `chunk`: an agreement, or why there is none, in words for the client;
 * nothing as long as it is not whole.
 */
export function agree(
  reader: HandshakeReader,
  chunk: Frame,
  protocols: ProtocolChoice,
  { textOnly, detailedErrors }: {
    readonly textOnly: boolean | undefined;
    readonly detailedErrors: boolean;
  },
): Agreement | string | undefined {
  let handshake: HandshakeRecord | undefined;
  try {
    handshake = reader.push(chunk);
  } catch {
    return "Handshake was canceled.";
  }
  if (handshake === undefined) return undefined;
  const { record, rest } = handshake;
  try {
    const request = parseHandshake(record);
    return { protocol: protocols.choose(request, textOnly), version: request.version, rest };
  } catch (error) {
    if (error instanceof ProtocolRefusal) return error.message;
    const detail = detailedErrors ? ` ${describe(error as Error)}` : "";
    return `An unexpected error occurred during connection handshake.${detail}`;
  }
}
