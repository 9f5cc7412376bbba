/**
 * The first exchange of a connection, in JSON for every protocol. `specs/signalr-wire.md §7`.
 *
 * @module
 */
import type { TextOrBytes } from "./frame.ts";
import { RECORD_SEPARATOR } from "./framing.ts";
import { type JsonObject, parseJsonObject, toNumber } from "./json/json_text.ts";
import { ProtocolError } from "./protocol_error.ts";

/** The request of the client. */
export interface HandshakeRequest {
  readonly protocol: string;
  readonly version: number;
}

/** The highest protocol version this server speaks; 2 adds stateful reconnect. */
export const MAXIMUM_PROTOCOL_VERSION = 2;

/**
 * The answer to a handshake that succeeded: binary protocols get its bytes. Contents and not frames,
 * because a frame that lives for ever would keep every frame that ever followed it in a write.
 */
export const HANDSHAKE_SUCCESS: Readonly<Record<"text" | "binary", TextOrBytes>> = {
  text: `{}${RECORD_SEPARATOR}`,
  binary: new TextEncoder().encode(`{}${RECORD_SEPARATOR}`),
};

/** The answer to a handshake that failed; no frame follows it. */
export function handshakeFailure(error: string): string {
  return JSON.stringify({ error }) + RECORD_SEPARATOR;
}

/**
 * Reads a handshake request without its separator.
 *
 * @throws {ProtocolError} if it is malformed.
 */
export function parseHandshake(record: string): HandshakeRequest {
  const request = parseJsonObject(
    record,
    () => new ProtocolError("The handshake is not valid JSON.", "JsonReaderException"),
  );
  const protocol = member(request, "protocol", record);
  const version = toNumber(member(request, "version", record));
  if (typeof protocol !== "string") {
    throw new ProtocolError("Expected 'protocol' to be of type String.");
  }
  if (version === undefined) {
    throw new ProtocolError("Expected 'version' to be of type Number.");
  }
  if ((version | 0) !== version) throw notInt32();
  return { protocol, version };
}

/** Upstream's refusal of a number that is not a 32-bit integer. */
export function notInt32(): ProtocolError {
  return new ProtocolError(
    "Either the JSON value is not in a supported format, or is out of bounds for an Int32.",
    "FormatException",
  );
}

function member(request: JsonObject, name: string, record: string): unknown {
  const value = Object.hasOwn(request, name) ? request[name] : undefined;
  // Upstream: a null version counts as missing, a null protocol is of the wrong type.
  if (value === undefined || (name === "version" && value === null)) {
    throw new ProtocolError(`Missing required property '${name}'. Message content: ${record}`);
  }
  return value;
}
